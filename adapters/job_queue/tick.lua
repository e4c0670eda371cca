-- tick.lua: what is due, when no worker is up to see to it; and who is not seen any more
local WORKER_KEEP = 600000000
local time = now()
local n = call('HGETALL', NOTES)

sweep(time, call('HGET', NOTES, 'due'))
for i = 1, #n, 2 do
	local kind, value = n[i]:sub(1, 2), n[i + 1]
	if kind == 'k:' and time - value:match('^%d+ (%d+)') > WORKER_KEEP then
		call('HDEL', NOTES, n[i])
	elseif kind == 'v:' and tonumber(value) <= time then
		call('HDEL', NOTES, n[i])
	end
end
return call('ZCARD', READY)
