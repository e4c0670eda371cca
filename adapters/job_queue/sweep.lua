-- sweep.lua: hands back what is due, sixteen of each kind at a time.
--
-- n.due is a moment before which nothing is: a lower bound, so that a renewed lease need not
-- raise it, and a claim learns from a field that it reads anyway that there is nothing to do.

local SWEEP_MOST = 16

local function note_due(moment, due)
	if not due or moment < tonumber(due) then
		call('HSET', NOTES, 'due', moment)
	end
end

-- Whose end is wanted waits like others: whoever claims it next ends it, in its document as well.
local function lapse(id, time)
	local j = call('HMGET', JOB .. id, 'u', 'sc', 'crash', 'cx')
	local user, crashes = j[1], (j[3] or 0) + 1
	if not user then
		return call('ZREM', LEASES, id)
	end
	local free = unlease(id, user, time)
	call('HINCRBY', NOTES, 's:crashed', 1)
	call('HSET', JOB .. id, 'st', 'W', 'tok', '', 'crash', crashes)
	if crashes >= tonumber(call('HGET', NOTES, 'maxcrash') or 4) and not j[4] then
		bury(id, time)
	else
		insert(id, user, j[2], free)
	end
end

local function undelay(id)
	local j = call('HMGET', JOB .. id, 'u', 'sc')
	call('ZREM', DELAYED, id)
	if j[1] then
		call('HSET', JOB .. id, 'st', 'W')
		insert(id, j[1], j[2], free_places(j[1]))
	end
end

-- When to sweep again; false: there is nothing to wait for.
local function sweep(time, due)
	if not due or time < tonumber(due) then
		return due and tonumber(due)
	end
	call('DEL', NOTHING) -- see memory.lua
	for _, id in ipairs(call('ZRANGE', LEASES, '-inf', time, 'BYSCORE', 'LIMIT', 0, SWEEP_MOST)) do
		lapse(id, time)
	end
	for _, id in ipairs(call('ZRANGE', DELAYED, '-inf', time, 'BYSCORE', 'LIMIT', 0, SWEEP_MOST)) do
		undelay(id)
	end
	local lease = tonumber(call('ZRANGE', LEASES, 0, 0, 'WITHSCORES')[2])
	local delay = tonumber(call('ZRANGE', DELAYED, 0, 0, 'WITHSCORES')[2])
	local next_due = math.min(lease or NEVER, delay or NEVER)
	if next_due == NEVER then
		call('HDEL', NOTES, 'due')
		return false
	end
	call('HSET', NOTES, 'due', next_due)
	return next_due
end
