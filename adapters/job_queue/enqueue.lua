-- enqueue.lua: id (empty: reserve a place and no more), user, fingerprint, payload, penalty,
-- quantum; and of a job that has a place its score, fence, operation
local id, user, fingerprint, score = ARGV[1], ARGV[2], ARGV[3], ARGV[7]
local key, fair = JOB .. id, 'v:' .. user
local n = call('HMGET', NOTES, 'tick', 's:enqueued', 'ucap', 'c:' .. user, 'f:' .. user, 'qmax',
	'uqmax', 'gap', fair)
local was = call('HGET', key, 'fp')
local is_new = not score

if was then
	if was ~= fingerprint then
		return {'other'}
	end
	local j = call('HMGET', key, 'st', 'sc', 'u')
	local state, ready = j[1], call('ZSCORE', READY, id)
	-- Redis 7.0 may begin a script that its log has the beginning of, and leave it at that.
	if state == 'W' and not ready and j[3] == user then
		call('ZADD', WAITING, j[2], id)
		call('ZADD', USER .. user, j[2], id)
		ready = call('ZRANK', USER .. user, id) < limit(n[4] or n[3]) - (n[5] or 0)
		if ready then
			make_ready(id, j[2])
		end
	elseif state == 'A' and call('ZADD', LEASES, 'NX', '0', id) == 1 or
		state == 'D' and call('ZADD', DELAYED, 'NX', '0', id) == 1 then
		call('HSET', NOTES, 'due', '0')
	end
	return ticket(1, id, state, ready, j[2], n[8])
end
if is_new then
	if n[6] and call('ZCARD', WAITING) >= tonumber(n[6]) then
		return {'full'}
	end
	if n[7] and call('ZCARD', USER .. user) >= tonumber(n[7]) then
		return {'user full'}
	end
end

local tick, served
if is_new then
	score, tick, served = take_score(n[1], n[9], ARGV[5], ARGV[6])
	if id == '' then
		call('HSET', NOTES, 'tick', tick, fair, served)
		return {score}
	end
	call('HSET', NOTES, 'tick', tick, 's:enqueued', integer((n[2] or 0) + 1), fair, served)
else
	tick = select(2, now())
	call('HINCRBY', NOTES, 's:enqueued', '1')
end
call('HSET', key, 'st', 'W', 'u', user, 'sc', score, 'fp', fingerprint, 'p', ARGV[4], 't', tick)
if not is_new and (ARGV[8] ~= '0' or ARGV[9] ~= '') then
	call('HSET', key, 'fence', ARGV[8], 'op', ARGV[9], 'call', 'D', 'at', '0')
end
local most = limit(n[4] or n[3])
local runnable = insert(id, user, score, most < NEVER and most - (n[5] or 0) or NEVER)
return ticket(0, id, 'W', runnable, score, n[8])
