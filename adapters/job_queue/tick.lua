-- tick.lua: what is due, when no worker is up to see to it
local WORKER_KEEP = 600000000
local time = now()
local seen = call('HGETALL', WORKERS)

spend_memory()
sweep(time, call('HGET', NOTES, 'due'))
for i = 1, #seen, 2 do
	if time - seen[i + 1]:match('^%d+ (%d+)') > WORKER_KEEP then
		call('HDEL', WORKERS, seen[i])
	end
end
return call('ZCARD', READY)
