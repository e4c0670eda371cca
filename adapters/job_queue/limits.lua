-- limits.lua: ucap, then pairs of name and value; 0: none. Returns the larger of the old limit and
-- the new one if jobs have to be seated anew.
spend_memory()
local was, is = limit(call('HGET', NOTES, 'ucap')), limit(ARGV[1])

-- A value longer than hash-max-listpack-value makes the hash a table, where each field is found at
-- once. A list of them is searched from its start, for each of those that a claim reads.
call('HSET', NOTES, 'ucap', ARGV[1], 'about', 'limits, counters and marks; see adapters/job_queue/core.lua of Phoenix')
for i = 2, #ARGV, 2 do
	if ARGV[i + 1] == '0' then
		call('HDEL', NOTES, ARGV[i])
	else
		call('HSET', NOTES, ARGV[i], ARGV[i + 1])
	end
end
for _ = 1, math.min(64, call('ZCARD', READY)) do
	wake() -- there may be room now
end
return was ~= is and math.max(was, is) or 0
