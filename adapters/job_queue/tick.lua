-- tick.lua: what is due, when no worker is up to see to it
local WORKER_KEEP = 600000000
local time = now()
local n = call('HGETALL', NOTES)

sweep(time, call('HGET', NOTES, 'due'))
for i = 1, #n, 2 do
	if n[i]:sub(1, 2) == 'k:' and time - n[i + 1]:match('^%d+ (%d+)') > WORKER_KEEP then
		call('HDEL', NOTES, n[i])
	end
end
return call('ZCARD', READY)
