-- places.lua: each user's places among the running, and the set of jobs that may take them.

local function wake()
	if call('LLEN', WAKE) < 64 then
		call('RPUSH', WAKE, 1)
	end
end

local function make_ready(id, score)
	if call('ZADD', READY, score, id) == 1 then
		wake()
	end
end

-- The user has one more place, or one job less before the others.
local function admit(user, free)
	if free > 0 and free < NEVER then
		local last = call('ZRANGE', USER .. user, free - 1, free - 1, 'WITHSCORES')
		if last[1] then
			make_ready(last[1], last[2])
		end
	end
end

-- Takes a job out of those that run; returns how many more of the user's may.
local function unlease(id, user, user_most, own_most, in_flight)
	local running = (tonumber(in_flight) or 1) - 1
	call('ZREM', LEASES, id)
	if running > 0 then
		call('HSET', NOTES, 'f:' .. user, running)
	else
		call('HDEL', NOTES, 'f:' .. user)
	end
	local most = limit(own_most or user_most)
	local free = most < NEVER and most - running or NEVER
	admit(user, free)
	return free
end
