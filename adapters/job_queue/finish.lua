-- finish.lua: id, token, verdict (S, C, R retry, H hand back, X for good), delay, fresh, note; and
-- those of claim.lua where the worker wants its next job at once

-- The token stays, so that a repetition is told from a stranger; the fence grows, so that nobody
-- takes back what was given away.
local function try_again(id, user, time, free)
	local _, insert, bury, note_due = rare()
	local key, delay = JOB .. id, tonumber(ARGV[4])
	local j = call('HMGET', key, 'sc', 'fails', 'fence')
	call('HSET', key, 'fence', j[3] + 1, 'prog', '')
	if ARGV[3] == 'R' then
		local failures = (j[2] or 0) + 1
		call('HSET', key, 'fails', failures)
		if failures >= tonumber(call('HGET', NOTES, 'maxfails') or 5) then
			bury(id, time)
			return 'X'
		end
	end
	if delay <= 0 then
		call('HSET', key, 'st', 'W')
		insert(id, user, j[1], free)
		return 'W'
	end
	call('HSET', key, 'st', 'D')
	call('ZADD', DELAYED, time + delay, id)
	note_due(time + delay, call('HGET', NOTES, 'due'))
	return 'D'
end

-- What became of the job; and the counter of this end, where it is one.
local function finish(time)
	local id, verdict = ARGV[1], ARGV[3]
	local key = JOB .. id
	local j = call('HMGET', key, 'st', 'tok', 'u')
	if not j[1] then
		return 'gone'
	elseif j[2] ~= ARGV[2] then
		return 'lost'
	elseif j[1] ~= 'A' then
		return j[1]
	end
	local free = unlease(id, j[3], time)
	if ARGV[6] ~= '' then
		call('HSET', key, 'note', ARGV[6])
	end
	if ARGV[5] == '1' then
		call('HSET', key, 'op', '', 'call', '')
	end
	if verdict == 'S' then
		conclude(id, 'S')
		return 'S', 's:succeeded'
	elseif verdict == 'C' then
		conclude(id, 'C')
		return 'C', 's:canceled'
	elseif verdict == 'X' then
		local _, _, bury = rare()
		bury(id, time)
		return 'X'
	end
	return try_again(id, j[3], time, free), verdict == 'R' and 's:failed' or 's:released'
end

local time, time_text = now()
local state, counter = finish(time)
if ARGV[7] then
	return next_job(7, time, time_text, state, counter)
end
count(counter)
if call('HEXISTS', NOTES, 'gmax') == 1 and call('EXISTS', READY) == 1 then
	wake() -- others may have been told that all places are taken
end
return {state}
