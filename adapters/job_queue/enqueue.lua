-- enqueue.lua: id, user, fingerprint, payload, penalty, quantum; and of a lost job its score (0:
-- it is new), fence, operation
local id, user, fingerprint = ARGV[1], ARGV[2], ARGV[3]
local penalty, quantum, score = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local time = now()
local n = call('HMGET', NOTES, 'tick', 's:enqueued', 'ucap', 'c:' .. user, 'f:' .. user, 'qmax',
	'uqmax', 'gap')
local was = call('HMGET', JOB .. id, 'st', 'fp', 'sc')

if was[1] then
	if was[2] ~= fingerprint then
		return {'other'}
	end
	return ticket(1, id, was[1], call('ZSCORE', READY, id), tonumber(was[3]), n[8])
end
if score == 0 then
	if n[6] and call('ZCARD', WAITING) >= tonumber(n[6]) then
		return {'full'}
	end
	if n[7] and call('ZCARD', USER .. user) >= tonumber(n[7]) then
		return {'user full'}
	end
end

local tick = tonumber(n[1]) or 0
if score == 0 then
	score, tick = take_score(user, time, tick, penalty, quantum)
end
call('HSET', NOTES, 'tick', tick, 's:enqueued', (n[2] or 0) + 1)
call('HSET', JOB .. id, 'st', 'W', 'u', user, 'sc', score, 'fp', fingerprint, 'p', ARGV[4], 't', time)
if ARGV[8] ~= '0' then
	call('HSET', JOB .. id, 'fence', ARGV[8])
end
if ARGV[9] ~= '' then
	call('HSET', JOB .. id, 'op', ARGV[9], 'call', 'D')
end
local runnable = insert(id, user, score, limit(n[4] or n[3]) - (n[5] or 0))
return ticket(0, id, 'W', runnable, score, n[8])
