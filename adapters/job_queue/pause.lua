-- pause.lua: 1 to pause, 0 to go on
spend_memory()
if ARGV[1] == '1' then
	return call('HSET', NOTES, 'pause', 1)
end
call('HDEL', NOTES, 'pause')
for _ = 1, math.min(64, call('ZCARD', READY)) do
	wake()
end
return 1
