-- cancel.lua: id
local id = ARGV[1]
local j = call('HMGET', JOB .. id, 'st', 'u')

spend_memory()
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
