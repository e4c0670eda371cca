-- view.lua: all that is known of a job.
local TIMERS = {A = LEASES, D = DELAYED, X = DEAD}

local function view(id)
	local j = call('HMGET', JOB .. id, 'st', 'u', 'p', 'op', 'note', 'tok', 'sc', 't', 'prog', 'at',
		'fails', 'crash', 'cx')
	local timer = TIMERS[j[1]]
	local rank = call('ZRANK', WAITING, id)
	j[#j + 1] = timer and tonumber(call('ZSCORE', timer, id)) or 0
	j[#j + 1] = rank and rank + 1 or 0
	j[#j + 1] = id
	return j
end
