-- next.lua: gives a worker its next job.

local GHOSTS_MOST = 16 -- entries without a job, left by whoever deleted keys by hand
local WINDOW = 1000000 -- over which claims are counted for the estimate, at least

-- Half of a minute's calls may be begun at once, the other half come back one by one, so that no
-- minute sees more of them than allowed (GCRA).
local function pace(per_minute)
	local burst = math.max(1, math.floor(per_minute / 2))
	local interval = math.ceil(60000000 / math.max(1, per_minute - burst))
	return interval, (burst - 1) * interval
end

-- How long no call may be begun. Who has an operation needs none, and need not wait.
local function pause_of_calls(per_minute, time)
	local _, ahead = pace(per_minute)
	local pause = (call('HGET', NOTES, 'tat') or 0) - ahead - time
	local first = pause > 0 and call('ZRANGE', READY, 0, 0)[1]
	if first and (call('HGET', JOB .. first, 'op') or '') ~= '' then
		return 0
	end
	return pause
end

local function note_call(id, per_minute, time)
	if (call('HGET', JOB .. id, 'op') or '') == '' then
		local tat = math.max(tonumber(call('HGET', NOTES, 'tat') or 0), time)
		call('HSET', NOTES, 'tat', integer(tat + (pace(per_minute))))
	end
end

-- The mean gap between claims while jobs wait, from windows of them. A window begins anew where a
-- job had not been there at the last claim: nobody had waited then.
local function note_gap(time, time_text, claimed, since)
	local n = call('HMGET', NOTES, 'before', 'gap')
	call('HSET', NOTES, 'since', time_text, 'before', claimed)
	if since then
		local gap = (time - since) / (claimed - n[1])
		call('HSET', NOTES, 'gap', integer(n[2] and (n[2] * 3 + gap) / 4 or gap))
	end
end

local function count(counter)
	if counter then
		call('HINCRBY', NOTES, counter, '1')
	end
end

-- What keeps a worker from any job; and for how long, if that is known.
local function obstacle(n, time)
	if not n[1] then
		return 'I'
	elseif n[2] then
		return 'P'
	elseif n[3] and call('ZCARD', LEASES) >= tonumber(n[3]) then
		return 'F'
	elseif n[4] then
		local pause = pause_of_calls(n[4], time)
		if pause > 0 then
			return 'F', pause
		end
	end
end

-- How long the first of the delays takes; false: there is none.
local function until_delay(time)
	local first = call('ZRANGE', DELAYED, 0, 0, 'WITHSCORES')[2]
	return first and math.max(0, first - time)
end

-- A claim whose reply was lost is sent again with the same number and gets the same job. One that
-- comes late, from a connection that was given up, must not take another: true.
local function claimed_before(last_claim, serial, token)
	local last, id = last_claim:match('^(%d+) %d+ (.*)$')
	if last ~= serial then
		return true
	end
	local j = call('HMGET', JOB .. id, 'u', 'p', 'fence', 'at', 'st', 'tok')
	if j[5] == 'A' and j[6] == token then
		return false, id, j
	end
end

-- The best of those that are ready.
local function take_ready()
	for _ = 1, GHOSTS_MOST do
		local id = call('ZPOPMIN', READY)[1]
		if not id then
			call('DEL', WAKE) -- hints of jobs that others have taken
			return
		end
		local j = call('HMGET', JOB .. id, 'u', 'p', 'fence', 'at', 't')
		call('ZREM', WAITING, id)
		if j[1] then
			return id, j
		end
	end
end

-- Makes a job the worker's, and notes the claim. What was never claimed knows of no attempt.
local function begin(id, j, n, token, mark, claim, time, time_text, counter)
	local is_first, running = not j[4], 'f:' .. j[1]
	local claimed, in_flight = integer((n[8] or 0) + 1), call('HGET', NOTES, running)
	in_flight = in_flight and integer(in_flight + 1) or '1'
	j[3] = j[3] and tonumber(j[3]) >= time and integer(j[3] + 1) or time_text
	j[4] = is_first and '1' or integer(j[4] + 1)
	call('ZREM', USER .. j[1], id)
	call('HSET', JOB .. id, 'st', 'A', 'tok', token, 'at', j[4], 'fence', j[3])
	if counter then
		call('HSET', NOTES, mark, claim, 'last', time_text, 's:claimed', claimed, running, in_flight,
			counter, integer((n[11] or 0) + 1))
	else
		call('HSET', NOTES, mark, claim, 'last', time_text, 's:claimed', claimed, running, in_flight)
	end
	local has_waited = is_first and n[6] and j[5] < n[6]
	if not has_waited or not n[7] or time - n[7] >= WINDOW then
		note_gap(time, time_text, claimed, has_waited and n[7])
	end
	if n[4] then
		note_call(id, n[4], time)
	end
end

-- ARGV[from] on: worker, number of its claim (ten digits), lease, history as the client knows it.
-- `counter` is one that counts on, where another verb has just ended a job in this `state`.
local function next_job(from, time, time_text, state, counter)
	local worker, serial, lease, history = ARGV[from], ARGV[from + 1], ARGV[from + 2], ARGV[from + 3]
	local token, mark = worker .. '/' .. serial, 'k:' .. worker
	local n = call('HMGET', NOTES, 'history', 'pause', 'gmax', 'rate', 'due', 'last', 'since',
		's:claimed', 'maxfails', mark, counter or mark)
	local reconcile = n[1] and history ~= '' and n[1] ~= history and 1 or 0
	local due = n[5] and tonumber(n[5])
	if due and time >= due then
		due = rare()(time, due)
	end

	local is_late, id, j, kind, wait, is_first
	if n[10] and n[10] > serial then
		is_late, id, j = claimed_before(n[10], serial, token)
		if is_late then
			count(counter)
			return {state, 'E', reconcile, -1, -1}
		end
	end
	if id then
		call('DEL', NOTHING) -- see memory.lua
		count(counter)
	else
		kind, wait = obstacle(n, time)
		if not kind then
			id, j = take_ready()
		end
		local claim = serial .. ' ' .. time_text .. ' ' .. (id or '')
		if not id then
			call('DEL', NOTHING) -- see memory.lua
			call('HSET', NOTES, mark, claim)
			count(counter)
			local again = wait or due and math.max(0, due - time) or -1
			return {state, kind or 'E', reconcile, again, wait or not kind and until_delay(time) or -1}
		end
		is_first = not j[4]
		begin(id, j, n, token, mark, claim, time, time_text, counter)
	end

	local ends = integer(time + lease)
	call('ZADD', LEASES, ends, id)
	if not due or time + lease < due then
		call('HSET', NOTES, 'due', ends)
	end
	if is_first then
		return {state, 'J', reconcile, id, j[1], j[2], token, j[3], n[9] or 5}
	end
	local more = call('HMGET', JOB .. id, 'fails', 'crash', 'cx', 'op', 'call', 'call_t')
	local begun = more[5] == 'S' and time - more[6] or -1
	return {state, 'J', reconcile, id, j[1], j[2], token, j[3], n[9] or 5, j[4], more[1] or 0,
		more[2] or 0, more[3] or 0, more[4] or '', begun}
end
