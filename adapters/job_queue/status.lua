-- status.lua: sizes, then marks, limits, counters; in the order in which C reads them
return {call('ZCARD', WAITING), call('ZCARD', READY), call('ZCARD', LEASES), call('ZCARD', DELAYED),
	call('ZCARD', DEAD), call('HMGET', NOTES, 'history', 'pause', 'gap', 'gmax', 'ucap', 'qmax',
	'uqmax', 'rate', 'maxfails', 'maxcrash', 's:enqueued', 's:claimed', 's:succeeded',
	's:canceled', 's:failed', 's:crashed', 's:released', 's:buried')}
