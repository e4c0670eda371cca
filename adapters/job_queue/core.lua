-- core.lua: the clock, and what nearly every verb reads.
--
-- Scripts are put together from parts, a verb last. Names of keys (JOB, NOTES, ...) are put in as
-- literals (see job_queue_scripts.c). All keys hang on KEYS[1], whose hash tag puts them into one
-- slot of a cluster. NOTHING, which is KEYS[1], never exists: while a cluster moves the slot, scripts are
-- therefore refused (ASK) and not run on half of the keys.
--
--   JOB      j:<id>   hash  a job: st state, u user, sc score, fp fingerprint, p payload,
--                           t enqueued at, tok token, fence, at attempts (absent: all of
--                           what follows is too), fails, crash, op operation, call S or D,
--                           call_t, cx cancel wanted, prog, note
--   WAITING  w        zset  all that wait, by score: a job's position is its rank
--   USER     u:<user> zset  the same, per user
--   READY    r        zset  of each user exactly the first cap - in flight of u:<user>
--   LEASES, DELAYED, DEAD   l, d, x: zset  by the end of the lease, of the delay, by time of death
--   NOTES    n        hash  limits; counters s:<name>; of users c:<user> an own limit, f:<user> jobs
--                           in flight, v:<user> when all so far are served, if everybody had a fair
--                           share; of workers k:<worker> number of the last claim, time, job;
--                           marks: history (rebuild_end.lua; absent: to be rebuilt), tick
--                           (order.lua), due (sweep.lua), tat, last, since, before, gap (next.lua)
--   WAKE     wake     list  hints for idle workers, at most 64
--   LOCK     lock           of the one who rebuilds
--
-- States: W waiting, D delayed, A active, S succeeded, C canceled, X dead.
-- Times and scores are microseconds since 1970, which doubles hold exactly until the year 2255;
-- `..` and tostring print 14 digits only, an argument of redis.call all of them, slowly.
--
-- What costs most here is not Redis but Lua: what a function that is defined takes from around it,
-- run or not, a number that becomes text, a table in a reply. Hence literals, integer(), rare.lua,
-- and replies without tables in them.
local call, format = redis.call, string.format

local function integer(number)
	return format('%d', number)
end

-- The time, and the same as text.
local function now()
	local time = call('TIME')
	local number = time[1] * 1000000 + time[2]
	return number, integer(number)
end

local function limit(text)
	local number = tonumber(text) or 0
	return number > 0 and number or NEVER
end
