-- finish.lua: id, token, verdict (S, C, R retry, H hand back, X for good), delay, fresh, note; and
-- those of claim.lua where the worker wants its next job at once
local COUNTERS = {S = 's:succeeded', C = 's:canceled', R = 's:failed', H = 's:released'}
local id, token, verdict = ARGV[1], ARGV[2], ARGV[3]
local delay, fresh, note = tonumber(ARGV[4]), ARGV[5] == '1', ARGV[6]

-- The token stays, so that a repetition is told from a stranger; the fence grows, so that nobody
-- takes back what was given away.
local function try_again(user, free)
	local _, insert, bury, note_due = rare()
	local time = now()
	local j = call('HMGET', JOB .. id, 'sc', 'fails', 'fence')
	call('HSET', JOB .. id, 'fence', j[3] + 1, 'prog', '')
	if verdict == 'R' then
		local failures = (j[2] or 0) + 1
		call('HSET', JOB .. id, 'fails', failures)
		if failures >= tonumber(call('HGET', NOTES, 'maxfails') or 5) then
			bury(id, time)
			return 'X'
		end
	end
	if delay <= 0 then
		call('HSET', JOB .. id, 'st', 'W')
		insert(id, user, j[1], free)
		return 'W'
	end
	call('HSET', JOB .. id, 'st', 'D')
	call('ZADD', DELAYED, time + delay, id)
	note_due(time + delay, call('HGET', NOTES, 'due'))
	return 'D'
end

local counter -- of this end, where it is one
local function finish()
	local j = call('HMGET', JOB .. id, 'st', 'tok', 'u')
	if not j[1] then
		return 'gone'
	end
	if j[2] ~= token then
		return 'lost'
	end
	if j[1] ~= 'A' then
		return j[1]
	end
	local n = call('HMGET', NOTES, 'ucap', 'c:' .. j[3], 'f:' .. j[3])
	local free = unlease(id, j[3], n[1], n[2], n[3])
	counter = COUNTERS[verdict]
	if note ~= '' then
		call('HSET', JOB .. id, 'note', note)
	end
	if fresh then
		call('HSET', JOB .. id, 'op', '', 'call', '')
	end
	if verdict == 'S' then
		conclude(id, 'S')
		return 'S'
	elseif verdict == 'C' then
		conclude(id, 'C')
		return 'C'
	elseif verdict == 'X' then
		local _, _, bury = rare()
		bury(id, (now()))
		return 'X'
	end
	return try_again(j[3], free)
end

local state = finish()
if ARGV[7] then
	return {state, next_job(7, counter)}
end
count(counter)
if call('HEXISTS', NOTES, 'gmax') == 1 and call('EXISTS', READY) == 1 then
	wake() -- others may have been told that all places are taken
end
return {state}
