-- set_operation.lua: id, token, operation ('': the call is about to be made)
local id, token, operation = ARGV[1], ARGV[2], ARGV[3]
local j = call('HMGET', JOB .. id, 'st', 'tok', 'op')

if not j[1] then
	return 'gone'
end
local ours = j[2] == token and j[1] == 'A'
spend_memory()
if operation == '' then
	if not ours then
		return 'lost'
	end
	call('HSET', JOB .. id, 'op', '', 'call', 'S', 'call_t', (now()))
	return 'ok'
end
-- What was paid for is kept, whoever brings it, but never in the place of another.
local known = j[3] or ''
if not ours and known ~= '' and known ~= operation then
	return 'lost'
end
call('HSET', JOB .. id, 'op', operation, 'call', 'D')
call('HSETNX', JOB .. id, 'at', 0)
return 'ok'
