-- cancel.lua: id
local id = ARGV[1]

spend_memory()
sweep(now(), call('HGET', NOTES, 'due')) -- if its worker is gone, nobody else would end it soon
local j = call('HMGET', JOB .. id, 'st', 'u')
if j[1] == 'W' then
	remove(id, j[2])
	admit(j[2], free_places(j[2]))
	conclude(id, 'C')
	call('HINCRBY', NOTES, 's:canceled', 1)
	return 'C'
elseif j[1] == 'D' then
	call('ZREM', DELAYED, id)
	conclude(id, 'C')
	call('HINCRBY', NOTES, 's:canceled', 1)
	return 'C'
elseif j[1] == 'A' then
	call('HSET', JOB .. id, 'cx', 1)
end
return j[1] or ''
