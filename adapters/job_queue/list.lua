-- list.lua: state, how many to skip, how many are wanted
local KEYS_OF = {W = WAITING, A = LEASES, D = DELAYED, X = DEAD}
local key, first = KEYS_OF[ARGV[1]], tonumber(ARGV[2])
local last = first + ARGV[3] - 1
local ids = ARGV[1] == 'X' and call('ZRANGE', key, first, last, 'REV') or call('ZRANGE', key, first, last)
local jobs = {}

for i, id in ipairs(ids) do
	jobs[i] = view(id)
end
return {call('ZCARD', WAITING), tonumber(call('HGET', NOTES, 'gap') or -1), jobs, (now())}
