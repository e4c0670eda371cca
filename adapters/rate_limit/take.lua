-- take.lua: event, most, window, patience. KEYS[1] is a zset: each turn's event by its moment.
-- Times are microseconds since 1970 on this server's clock.
--
-- At most `most` - 1 turns are younger than the one that is `most` before the end. So a turn that
-- comes a window after that one shares no window with more than those.
local call, key, event = redis.call, KEYS[1], ARGV[1]
local most, window, patience = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = call('TIME')
local now = time[1] * 1000000 + time[2]

call('ZREMRANGEBYSCORE', key, '-inf', now - window)
local count = call('ZCARD', key)
local turn, refused = call('ZSCORE', key, event), 0
if not turn then
	local before = call('ZRANGE', key, count - most, count - most, 'WITHSCORES')
	turn = count < most and now or math.max(now, before[2] + window)
	if turn - now > patience then
		refused = 1
	else
		call('ZADD', key, turn, event)
		call('PEXPIRE', key, math.ceil((window + patience) / 1000))
		count = count + 1
	end
end
local oldest = call('ZRANGE', key, 0, 0, 'WITHSCORES')
return {refused, math.max(0, turn - now), math.max(0, most - count),
	oldest[2] and oldest[2] + window - now or 0}
