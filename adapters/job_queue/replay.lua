-- replay.lua: id, penalty, quantum
local id, time = ARGV[1], now()
local j = call('HMGET', JOB .. id, 'st', 'u')

if j[1] ~= 'X' then
	return {'not dead'}
end
local user = j[2]
local n = call('HMGET', NOTES, 'tick', 'gap')
local score, tick = take_score(user, time, tonumber(n[1]) or 0, tonumber(ARGV[2]), tonumber(ARGV[3]))
call('ZREM', DEAD, id)
call('HSET', NOTES, 'tick', tick)
call('HDEL', JOB .. id, 'fails', 'crash', 'cx', 'at', 'note', 'prog')
call('HSET', JOB .. id, 'st', 'W', 'tok', '', 'sc', score, 't', time)
local runnable = insert(id, user, score, free_places(user))
return ticket(0, id, 'W', runnable, score, n[2])
