-- seat.lua: the limit of all users has changed: score to begin at, how many jobs to look at, `most`.
-- Returns the score to go on at; 0: that was all.
local cursor, count = tonumber(ARGV[1]), tonumber(ARGV[2])
local ids = call('ZRANGE', WAITING, cursor, '+inf', 'BYSCORE', 'LIMIT', 0, count)
local seated = {}

for _, id in ipairs(ids) do
	local user = call('HGET', JOB .. id, 'u')
	if user and not seated[user] then
		seat(user, tonumber(ARGV[3]))
		seated[user] = true
	end
end
if #ids < count then
	return 0
end
return math.max(cursor + 1, tonumber(call('ZSCORE', WAITING, ids[#ids])))
