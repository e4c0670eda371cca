-- replay.lua: id, penalty, quantum
local id = ARGV[1]
local j = call('HMGET', JOB .. id, 'st', 'u')

if j[1] ~= 'X' then
	return {'not dead'}
end
local user = j[2]
local fair = 'v:' .. user
local n = call('HMGET', NOTES, 'tick', 'gap', fair)
local score, tick, served = take_score(n[1], n[3], ARGV[2], ARGV[3])
call('ZREM', DEAD, id)
call('HSET', NOTES, 'tick', tick, fair, served)
call('HDEL', JOB .. id, 'fails', 'crash', 'cx', 'note', 'prog')
call('HSET', JOB .. id, 'st', 'W', 'at', 0, 'tok', '', 'sc', score, 't', tick)
local runnable = insert(id, user, score, free_places(user))
return ticket(0, id, 'W', runnable, score, n[2])
