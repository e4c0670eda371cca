-- bury.lua: dead letters.

local DEAD_MOST = 10000 -- the oldest are forgotten here; their documents remain

local function bury(id, time)
	call('HSET', JOB .. id, 'st', 'X')
	call('ZADD', DEAD, time, id)
	call('HINCRBY', NOTES, 's:buried', 1)
	if call('ZCARD', DEAD) > DEAD_MOST then
		call('DEL', JOB .. call('ZPOPMIN', DEAD)[1])
	end
end
