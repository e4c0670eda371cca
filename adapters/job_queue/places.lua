-- places.lua: the set of jobs that may run, and hints that there are some.

local function wake()
	if call('LLEN', WAKE) < 64 then
		call('RPUSH', WAKE, '1')
	end
end

local function make_ready(id, score)
	if call('ZADD', READY, score, id) == 1 then
		wake()
	end
end
