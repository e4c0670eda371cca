-- core.lua: names, the clock, and what nearly every verb reads.
--
-- Scripts are put together from parts, a verb last (see job_queue_scripts.c). All keys hang on
-- KEYS[1], whose hash tag puts them into one slot of a cluster. KEYS[1] itself never exists: while
-- a cluster moves the slot, scripts are therefore refused (ASK) and not run on half of the keys.
--
--   j:<id>   hash  a job: st state, u user, sc score, fp fingerprint, p payload, t enqueued at,
--                  tok token, fence, at attempts, fails, crash, op operation, call S or D, call_t,
--                  cx cancel wanted, prog, note
--   w        zset  all that wait, by score: a job's position is its rank
--   u:<user> zset  the same, per user
--   r        zset  ready: of each user exactly the first cap - in flight of u:<user>
--   l, d, x  zset  leases by their end, delayed jobs by their moment, dead letters by their time
--   n        hash  limits, counters, marks: see below
--   vf:<user>      when the user's jobs so far are served, if everybody had a fair share
--   wk       hash  worker -> number of its last claim, job, time
--   wake     list  hints for idle workers, at most 64
--   lock           of the one who rebuilds
--
-- States: W waiting, D delayed, A active, S succeeded, C canceled, X dead.
-- Times and scores are microseconds since 1970, which doubles hold exactly until the year 2255;
-- `..` and tostring print 14 digits only, an argument of redis.call all of them.
local call, P = redis.call, KEYS[1]
local JOB, USER, FAIR = P .. ':j:', P .. ':u:', P .. ':vf:'
local WAITING, READY, LEASES, DELAYED, DEAD = P .. ':w', P .. ':r', P .. ':l', P .. ':d', P .. ':x'
local NOTES, WORKERS, WAKE, LOCK = P .. ':n', P .. ':wk', P .. ':wake', P .. ':lock'

local NEVER = 9007199254740992

local function now()
	local time = call('TIME')
	return time[1] * 1000000 + time[2]
end

-- At its memory limit Redis refuses a script's first write if it could need memory, and lets all
-- of them through after one that could not. So leases live on, with any version of Redis.
local function spend_memory()
	call('DEL', P)
end

local function limit(text)
	local number = tonumber(text) or 0
	return number > 0 and number or NEVER
end
