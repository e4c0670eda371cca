-- rebuild_begin.lua: worker, how long the lock is its own
if call('SET', LOCK, ARGV[1], 'NX', 'PX', ARGV[2]) then
	return 1
end
if call('GET', LOCK) ~= ARGV[1] then
	return 0
end
return call('PEXPIRE', LOCK, ARGV[2])
