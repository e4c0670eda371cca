-- core.lua: names, the clock, and what nearly every verb reads.
--
-- Scripts are put together from parts, a verb last (see job_queue_scripts.c). All keys hang on
-- KEYS[1], whose hash tag puts them into one slot of a cluster. KEYS[1] itself never exists: while
-- a cluster moves the slot, scripts are therefore refused (ASK) and not run on half of the keys.
--
--   j:<id>   hash  a job: st state, u user, sc score, fp fingerprint, p payload, t enqueued at,
--                  tok token, fence, at attempts (absent: all of
--                  what follows is too), fails, crash, op operation, call S or D, call_t,
--                  cx cancel wanted, prog, note
--   w        zset  all that wait, by score: a job's position is its rank
--   u:<user> zset  the same, per user
--   r        zset  ready: of each user exactly the first cap - in flight of u:<user>
--   l, d, x  zset  leases by their end, delayed jobs by their moment, dead letters by their time
--   n        hash  limits; counters s:<name>; of users c:<user> an own limit, f:<user> jobs in flight;
--                  of workers k:<worker> number of the last claim, time, job; marks: history
--                  (rebuild_end.lua; absent: to be rebuilt), tick (order.lua), due (sweep.lua),
--                  tat, last, since, before, gap (next.lua)
--   vf:<user>      when the user's jobs so far are served, if everybody had a fair share
--   wake     list  hints for idle workers, at most 64
--   lock           of the one who rebuilds
--
-- States: W waiting, D delayed, A active, S succeeded, C canceled, X dead.
-- Times and scores are microseconds since 1970, which doubles hold exactly until the year 2255;
-- `..` and tostring print 14 digits only, an argument of redis.call all of them, slowly.
--
-- What costs most here is not Redis but Lua: a function that is defined, run or not, and a number
-- that becomes text. Hence literal keys, times that are kept as text, and rare.lua.
local call, P = redis.call, KEYS[1]
local JOB, USER, FAIR = 'phx:{v}:j:', 'phx:{v}:u:', 'phx:{v}:vf:'
local WAITING, READY, LEASES = 'phx:{v}:w', 'phx:{v}:r', 'phx:{v}:l'
local DELAYED, DEAD, NOTES = 'phx:{v}:d', 'phx:{v}:x', 'phx:{v}:n'
local WAKE, LOCK = 'phx:{v}:wake', 'phx:{v}:lock'

local NEVER = 9007199254740992

-- The time, and the same as text.
local function now()
	local time = call('TIME')
	local number = time[1] * 1000000 + time[2]
	return number, string.format('%.0f', number)
end

local function limit(text)
	local number = tonumber(text) or 0
	return number > 0 and number or NEVER
end
