-- next.lua: gives a worker its next job.

local GHOSTS_MOST = 16 -- entries without a job, left by whoever deleted keys by hand
local GAPS_MOST = 32 -- over which the mean of the gap between claims is taken

-- The claim at hand.
local worker, serial, token, lease, time, n, due, reconcile

local function read(id)
	return call('HMGET', JOB .. id, 'u', 'p', 'fence', 'op', 'call', 'call_t', 'at', 'fails', 'crash',
		'cx', 't')
end

local function hand_over(id, j, fence, attempt)
	local begun = j[5] == 'S' and time - j[6] or -1
	return {'J', reconcile, id, j[1], j[2], token, fence, j[4] or '', begun, attempt, j[8] or 0,
		j[9] or 0, n[12] or 5, j[10] or 0}
end

local function rest(kind, wait)
	spend_memory()
	call('HSET', WORKERS, worker, string.format('%s %.0f ', serial, time))
	return {kind, reconcile, wait}
end

-- Half of a minute's calls may be begun at once, the other half come back one by one, so that no
-- minute sees more of them than allowed (GCRA).
local function pace(per_minute)
	local burst = math.max(1, math.floor(per_minute / 2))
	local interval = math.ceil(60000000 / math.max(1, per_minute - burst))
	return interval, (burst - 1) * interval
end

-- How long no call may be begun. Who has an operation needs none, and need not wait.
local function pause_of_calls()
	local _, ahead = pace(n[4])
	local pause = n[5] - ahead - time
	local first = pause > 0 and call('ZRANGE', READY, 0, 0)[1]
	if first and (call('HGET', JOB .. first, 'op') or '') ~= '' then
		return 0
	end
	return pause
end

-- A claim whose reply was lost is sent again with the same number and gets the same job. One that
-- comes late, from a connection that was given up, must not take another.
local function repeated()
	local seen = call('HGET', WORKERS, worker)
	if not seen then
		return nil
	end
	local last, id = seen:match('^(%d+) %d+ (.*)$')
	if tonumber(last) > tonumber(serial) then
		return {'E', reconcile, -1}
	end
	if last ~= serial or id == '' then
		return nil
	end
	local held = call('HMGET', JOB .. id, 'st', 'tok')
	if held[1] ~= 'A' or held[2] ~= token then
		return nil
	end
	local j = read(id)
	call('ZADD', LEASES, time + lease, id)
	return hand_over(id, j, tonumber(j[3]), j[7])
end

-- The first ready job, which is ready no more.
local function pop()
	for _ = 1, GHOSTS_MOST do
		local id = call('ZPOPMIN', READY)[1]
		if not id then
			return nil
		end
		local j = read(id)
		if j[1] then
			return id, j
		end
		call('ZREM', WAITING, id)
	end
end

-- The gap counts where the job was there at the last claim already: else nobody had waited.
local function note_claim(j)
	local notes = {'last', time, 's:claimed', (n[10] or 0) + 1}
	if n[7] and not j[7] and tonumber(j[11]) < tonumber(n[7]) then
		local gaps, gap = math.min((n[9] or 0) + 1, GAPS_MOST), n[8] or 0
		notes[5], notes[6] = 'gap', math.floor(gap + (time - n[7] - gap) / gaps)
		notes[7], notes[8] = 'gaps', gaps
	end
	if not due or time + lease < due then
		notes[#notes + 1], notes[#notes + 2] = 'due', time + lease
	end
	if n[4] and (j[4] or '') == '' then
		notes[#notes + 1], notes[#notes + 2] = 'tat', math.max(tonumber(n[5]) or 0, time) + (pace(n[4]))
	end
	call('HSET', NOTES, unpack(notes))
end

local function take(id, j)
	local user, attempt = j[1], (j[7] or 0) + 1
	local fence = math.max(time, (j[3] or 0) + 1)
	call('ZREM', WAITING, id)
	call('ZREM', USER .. user, id)
	call('HSET', JOB .. id, 'st', 'A', 'tok', token, 'at', attempt, 'fence', fence)
	call('ZADD', LEASES, time + lease, id)
	call('HINCRBY', NOTES, 'f:' .. user, 1)
	call('HSET', WORKERS, worker, string.format('%s %.0f %s', serial, time, id))
	note_claim(j)
	return hand_over(id, j, fence, attempt)
end

local function next_job(from)
	worker, serial, lease, time = ARGV[from], ARGV[from + 1], tonumber(ARGV[from + 2]), now()
	token = worker .. '/' .. serial
	n = call('HMGET', NOTES, 'epoch', 'pause', 'gmax', 'rate', 'tat', 'due', 'last', 'gap', 'gaps',
		's:claimed', 'history', 'maxfails')
	local history = ARGV[from + 3]
	reconcile = n[11] and history ~= '' and n[11] ~= history and 1 or 0
	due = sweep(time, n[6])
	local again = repeated()
	if again then
		return again
	end
	local wait = due and math.max(0, due - time) or -1
	if not n[1] then
		return rest('I', wait)
	elseif n[2] then
		return rest('P', wait)
	elseif n[3] and call('ZCARD', LEASES) >= tonumber(n[3]) then
		return rest('F', wait)
	end
	local pause = n[4] and n[5] and pause_of_calls() or 0
	if pause > 0 then
		return rest('F', pause)
	end
	local id, j = pop()
	if not id then
		call('DEL', WAKE) -- hints of jobs that others have taken
		return rest('E', wait)
	end
	return take(id, j)
end
