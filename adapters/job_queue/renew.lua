-- renew.lua: lease, then for each job its id, token, progress (-1: unknown), fence
local lease, time = tonumber(ARGV[1]), now()
local n = call('HMGET', NOTES, 'due', 'gmax')
local held = {}

-- Nobody else has it: the lease ran out unnoticed, or its claim was lost with a server.
local function adopt(id, user, token)
	if free_places(user) <= 0 or n[2] and call('ZCARD', LEASES) >= tonumber(n[2]) then
		return false
	end
	remove(id, user)
	call('HINCRBY', NOTES, 'f:' .. user, 1)
	call('HSET', JOB .. id, 'st', 'A', 'tok', token)
	note_due(time + lease, n[1])
	return true
end

local function hold(id, token, progress, fence)
	local j = call('HMGET', JOB .. id, 'st', 'tok', 'u', 'fence', 'cx')
	if not j[1] then
		return -1
	end
	local ours = j[1] == 'A' and j[2] == token
	if not ours and j[1] == 'W' and tonumber(j[4] or 0) <= fence then
		ours = adopt(id, j[3], token)
		if ours then
			call('HSET', JOB .. id, 'fence', fence)
		end
	end
	if not ours then
		return 0
	end
	call('ZADD', LEASES, time + lease, id)
	if progress ~= '-1' then
		call('HSET', JOB .. id, 'prog', progress)
	end
	return j[5] and 2 or 1
end

spend_memory()
for i = 2, #ARGV, 4 do
	held[#held + 1] = hold(ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3]))
end
sweep(time, call('HGET', NOTES, 'due'))
return held
