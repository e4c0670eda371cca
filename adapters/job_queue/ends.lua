-- ends.lua: how a job ends.

-- It is kept for a day, so that a late repetition of any verb finds what became of it.
local function conclude(id, state)
	local key = JOB .. id
	call('HSET', key, 'st', state, 'p', '')
	call('EXPIRE', key, '86400')
end
