-- ends.lua: how a job ends, or rests.

local DEAD_MOST = 10000 -- the oldest are forgotten here; their documents remain
local KEEP_MS = 86400000 -- so that a late repetition of any verb finds what became of it

local function conclude(id, state, counter)
	call('HSET', JOB .. id, 'st', state, 'p', '')
	call('PEXPIRE', JOB .. id, KEEP_MS)
	call('HINCRBY', NOTES, counter, 1)
end

local function bury(id, time)
	call('HSET', JOB .. id, 'st', 'X')
	call('ZADD', DEAD, time, id)
	call('HINCRBY', NOTES, 's:buried', 1)
	if call('ZCARD', DEAD) > DEAD_MOST then
		call('DEL', JOB .. call('ZPOPMIN', DEAD)[1])
	end
end
