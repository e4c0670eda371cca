-- workers.lua: of each its id, silence in microseconds, last job, whether it is still its own
local time, workers = now(), {}
local n = call('HGETALL', NOTES)

for i = 1, #n, 2 do
	local worker = n[i]:match('^k:(.*)$')
	if worker then
		local serial, at, id = n[i + 1]:match('^(%d+) (%d+) (.*)$')
		local j = call('HMGET', JOB .. id, 'st', 'tok')
		local busy = j[1] == 'A' and j[2] == worker .. '/' .. serial
		workers[#workers + 1] = {worker, time - at, id, busy and 1 or 0}
	end
end
return workers
