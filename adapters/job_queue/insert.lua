-- insert.lua: into the queue, and out of it.

-- True when the job is ready. Who is the first without a place now was ready until now, or it is
-- not this job that has got one.
local function insert(id, user, score, free)
	call('ZADD', WAITING, score, id)
	call('ZADD', USER .. user, score, id)
	if free <= 0 then
		return false
	end
	if free < NEVER then
		local at = integer(free)
		local without = call('ZRANGE', USER .. user, at, at)[1]
		if without and (without == id or call('ZREM', READY, without) == 0) then
			return false
		end
	end
	make_ready(id, score)
	return true
end
