-- user_limit.lua: user, how many jobs of it run at once (0: as for everybody)
local user, field = ARGV[1], 'c:' .. ARGV[1]
local n = call('HMGET', NOTES, 'ucap', field)

if ARGV[2] == '0' then
	call('HDEL', NOTES, field)
else
	call('HSET', NOTES, field, ARGV[2])
end
seat(user, math.max(limit(n[2] or n[1]), limit(call('HGET', NOTES, field) or n[1])))
return 1
