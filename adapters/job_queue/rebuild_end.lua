-- rebuild_end.lua: worker, history as the client knows it
if call('GET', LOCK) ~= ARGV[1] then
	return 0
end
call('DEL', LOCK)
call('HSET', NOTES, 'history', ARGV[2])
for _ = 1, math.min(64, call('ZCARD', READY)) do
	wake()
end
return 1
