-- workers.lua: id, silence in microseconds, last job, whether it is still its own
local time, workers = now(), {}
local seen = call('HGETALL', WORKERS)

for i = 1, #seen, 2 do
	local serial, at, id = seen[i + 1]:match('^(%d+) (%d+) (.*)$')
	local j = call('HMGET', JOB .. id, 'st', 'tok')
	local busy = j[1] == 'A' and j[2] == seen[i] .. '/' .. serial
	workers[#workers + 1] = {seen[i], time - at, id, busy and 1 or 0}
end
return workers
