-- places.lua: each user's places among the running, and the set of jobs that have one waiting.

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

-- How many more of the user's jobs may run.
local function free_places(user)
	local n = call('HMGET', NOTES, 'ucap', 'c:' .. user, 'f:' .. user)
	return limit(n[2] or n[1]) - (n[3] or 0)
end

-- The user has one more place, or one job less before the others.
local function admit(user, free)
	if free > 0 then
		local last = call('ZRANGE', USER .. user, free - 1, free - 1, 'WITHSCORES')
		if last[1] then
			make_ready(last[1], last[2])
		end
	end
end

-- True when the job is ready. Where it takes the place of another, that one was ready until now.
local function insert(id, user, score, free)
	call('ZADD', WAITING, score, id)
	call('ZADD', USER .. user, score, id)
	if free <= 0 then
		return false
	end
	local without = call('ZRANGE', USER .. user, free, free)[1]
	if without and (without == id or call('ZREM', READY, without) == 0) then
		return false
	end
	make_ready(id, score)
	return true
end

local function remove(id, user)
	call('ZREM', WAITING, id)
	call('ZREM', READY, id)
	call('ZREM', USER .. user, id)
end

-- Takes a job out of those that run.
local function unlease(id, user)
	call('ZREM', LEASES, id)
	local n = call('HMGET', NOTES, 'ucap', 'c:' .. user, 'f:' .. user)
	local running = (tonumber(n[3]) or 1) - 1
	if running > 0 then
		call('HSET', NOTES, 'f:' .. user, running)
	else
		call('HDEL', NOTES, 'f:' .. user)
	end
	local free = limit(n[2] or n[1]) - running
	admit(user, free)
	return free
end
