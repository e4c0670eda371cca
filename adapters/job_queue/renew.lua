-- renew.lua: lease, then for each job its id, token, progress (-1: unknown), fence
local lease, time = tonumber(ARGV[1]), now()
local n = call('HMGET', NOTES, 'due', 'gmax')
local held, holds = {}, false

-- Nobody else has it: the lease ran out unnoticed, or its claim was lost with a server. Where it
-- was not its user's first, it takes the place of one that was ready.
local function adopt(id, user, token, fence)
	local free = free_places(user)
	if free <= 0 or n[2] and call('ZCARD', LEASES) >= tonumber(n[2]) then
		return false
	end
	remove(id, user)
	local without = free < NEVER and call('ZRANGE', USER .. user, free - 1, free - 1)[1]
	if without then
		call('ZREM', READY, without)
	end
	call('HINCRBY', NOTES, 'f:' .. user, 1)
	call('HSET', JOB .. id, 'st', 'A', 'tok', token, 'fence', fence)
	call('HSETNX', JOB .. id, 'at', 0)
	return true
end

local function hold(id, token, progress, fence)
	local j = call('HMGET', JOB .. id, 'st', 'tok', 'u', 'fence', 'cx')
	if not j[1] then
		return -1
	end
	local ours = j[1] == 'A' and j[2] == token
	if not ours and j[1] == 'W' and tonumber(j[4] or 0) <= fence then
		ours = adopt(id, j[3], token, fence)
	end
	if not ours then
		return 0
	end
	call('ZADD', LEASES, time + lease, id)
	holds = true
	if progress ~= '-1' then
		call('HSET', JOB .. id, 'prog', progress)
	end
	return j[5] and 2 or 1
end

spend_memory()
for i = 2, #ARGV, 4 do
	held[#held + 1] = hold(ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3]))
end
if holds then
	note_due(time + lease, n[1])
end
sweep(time, call('HGET', NOTES, 'due'))
return held
