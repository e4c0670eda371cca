-- tick.lua: what is due, when no worker is up to see to it; and who is not seen any more
local WORKER_KEEP = 600000000
local time = now()
local n = call('HGETALL', NOTES)

sweep(time, call('HGET', NOTES, 'due'))
for i = 1, #n, 2 do
	local kind, value = n[i]:sub(1, 2), n[i + 1]
	local keep_until = kind == 'k:' and value:match('^%d+ (%d+)') + WORKER_KEEP
		or kind == 'v:' and tonumber(value)
	if keep_until and keep_until <= time then
		call('HDEL', NOTES, n[i])
	end
end
return call('ZCARD', READY)
