-- drop.lua: id of a dead letter
if call('ZREM', DEAD, ARGV[1]) == 0 then
	return 0
end
return call('DEL', JOB .. ARGV[1])
