-- ends.lua: how a job ends.

local KEEP_MS = 86400000 -- so that a late repetition of any verb finds what became of it

local function conclude(id, state)
	call('HSET', JOB .. id, 'st', state, 'p', '')
	call('PEXPIRE', JOB .. id, KEEP_MS)
end
