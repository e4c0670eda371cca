-- leave.lua: out of those that run, which makes room.

-- The user has one more place, or one job less before the others.
local function admit(user, free)
	if free > 0 and free < NEVER then
		local at = integer(free - 1)
		local last = call('ZRANGE', USER .. user, at, at, 'WITHSCORES')
		if last[1] then
			make_ready(last[1], last[2])
		end
	end
end

-- Returns how many more of the user's may run. Who has had no more than a fair share is forgotten.
local function unlease(id, user, time)
	local own_most, running, served = 'c:' .. user, 'f:' .. user, 'v:' .. user
	local n = call('HMGET', NOTES, 'ucap', own_most, running, served)
	local left = (tonumber(n[3]) or 1) - 1
	call('ZREM', LEASES, id)
	if left > 0 then
		call('HSET', NOTES, running, integer(left))
	elseif n[4] and tonumber(n[4]) <= time then
		call('HDEL', NOTES, running, served)
	else
		call('HDEL', NOTES, running)
	end
	local most = limit(n[2] or n[1])
	local free = most < NEVER and most - left or NEVER
	admit(user, free)
	return free
end
