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
		call('HSET', NOTES, 'tat', tat + (pace(per_minute)))
	end
end

-- The mean gap between claims while jobs wait, from windows of them. A window begins anew where a
-- job had not been there at the last claim: nobody had waited then.
local function note_gap(time, time_text, claimed, since)
	local n = call('HMGET', NOTES, 'before', 'gap')
	call('HSET', NOTES, 'since', time_text, 'before', claimed)
	if since then
		local gap = (time - since) / (claimed - n[1])
		call('HSET', NOTES, 'gap', math.floor(n[2] and (n[2] * 3 + gap) / 4 or gap))
	end
end

local function count(counter)
	if counter then
		call('HINCRBY', NOTES, counter, 1)
	end
end

-- ARGV[from] on: worker, number of its claim (ten digits), lease, history as the client knows it.
-- `counter` is one that counts on, where another verb has just ended a job.
local function next_job(from, counter)
	local worker, serial, lease, history = ARGV[from], ARGV[from + 1], ARGV[from + 2], ARGV[from + 3]
	local token, mark = worker .. '/' .. serial, 'k:' .. worker
	local time, time_text = now()
	local n = call('HMGET', NOTES, 'history', 'pause', 'gmax', 'rate', 'due', 'last', 'since',
		's:claimed', 'maxfails', mark, counter or mark)
	local reconcile = n[1] and history ~= '' and n[1] ~= history and 1 or 0
	local due = n[5] and tonumber(n[5])
	if due and time >= due then
		due = rare()(time, due)
		n[11] = counter and call('HGET', NOTES, counter)
	end

	local function hand_over(id, user, payload, fence, attempt, is_new)
		local ends = string.format('%.0f', time + lease)
		call('ZADD', LEASES, ends, id)
		if not due or time + lease < due then
			call('HSET', NOTES, 'due', ends)
		end
		if is_new then
			return {'J', reconcile, id, user, payload, token, fence, n[9] or 5}
		end
		local j = call('HMGET', JOB .. id, 'fails', 'crash', 'cx', 'op', 'call', 'call_t')
		local begun = j[5] == 'S' and time - j[6] or -1
		return {'J', reconcile, id, user, payload, token, fence, n[9] or 5, attempt, j[1] or 0,
			j[2] or 0, j[3] or 0, j[4] or '', begun}
	end

	local function rest(kind, wait)
		call('DEL', P) -- see memory.lua
		call('HSET', NOTES, mark, serial .. ' ' .. time_text .. ' ')
		count(counter)
		return {kind, reconcile, wait or due and math.max(0, due - time) or -1}
	end

	-- A claim whose reply was lost is sent again with the same number and gets the same job. One
	-- that comes late, from a connection that was given up, must not take another.
	if n[10] and n[10] > serial then
		local last, id = n[10]:match('^(%d+) %d+ (.*)$')
		if last ~= serial then
			count(counter)
			return {'E', reconcile, -1}
		end
		local j = call('HMGET', JOB .. id, 'st', 'tok', 'u', 'p', 'fence', 'at')
		if j[1] == 'A' and j[2] == token then
			call('DEL', P)
			count(counter)
			return hand_over(id, j[3], j[4], j[5], j[6])
		end
	end

	if not n[1] then
		return rest('I')
	elseif n[2] then
		return rest('P')
	elseif n[3] and call('ZCARD', LEASES) >= tonumber(n[3]) then
		return rest('F')
	elseif n[4] then
		local pause = pause_of_calls(n[4], time)
		if pause > 0 then
			return rest('F', pause)
		end
	end

	local id, j
	for _ = 1, GHOSTS_MOST do
		id = call('ZPOPMIN', READY)[1]
		if not id then
			call('DEL', WAKE) -- hints of jobs that others have taken
			return rest('E')
		end
		j = call('HMGET', JOB .. id, 'u', 'p', 't', 'at', 'fence')
		if j[1] then
			break
		end
		call('ZREM', WAITING, id)
	end
	if not j[1] then
		return rest('E', 0)
	end

	local user, attempt, fence, claimed = j[1], (j[4] or 0) + 1, time_text, (n[8] or 0) + 1
	if j[5] and tonumber(j[5]) >= time then
		fence = string.format('%.0f', j[5] + 1)
	end
	call('ZREM', WAITING, id)
	call('ZREM', USER .. user, id)
	call('HSET', JOB .. id, 'st', 'A', 'tok', token, 'at', attempt, 'fence', fence)
	local running = (call('HGET', NOTES, 'f:' .. user) or 0) + 1
	if counter then
		call('HSET', NOTES, mark, serial .. ' ' .. time_text .. ' ' .. id, 'last', time_text,
			's:claimed', claimed, 'f:' .. user, running, counter, (n[11] or 0) + 1)
	else
		call('HSET', NOTES, mark, serial .. ' ' .. time_text .. ' ' .. id, 'last', time_text,
			's:claimed', claimed, 'f:' .. user, running)
	end
	local is_new = not j[4]
	local has_waited = n[6] and is_new and j[3] < n[6]
	if not has_waited or not n[7] or time - n[7] >= WINDOW then
		note_gap(time, time_text, claimed, has_waited and n[7])
	end
	if n[4] then
		note_call(id, n[4], time)
	end
	return hand_over(id, user, j[2], fence, attempt, is_new)
end
