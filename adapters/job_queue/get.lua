-- get.lua: id
return {call('ZCARD', WAITING), tonumber(call('HGET', NOTES, 'gap') or -1), {view(ARGV[1])}, (now())}
