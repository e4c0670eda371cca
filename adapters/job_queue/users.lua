-- users.lua: for verbs that look at a user's places beside other things.

-- How many more of the user's jobs may run.
local function free_places(user)
	local n = call('HMGET', NOTES, 'ucap', 'c:' .. user, 'f:' .. user)
	local most = limit(n[2] or n[1])
	return most < NEVER and most - (n[3] or 0) or NEVER
end

local function remove(id, user)
	call('ZREM', WAITING, id)
	call('ZREM', READY, id)
	call('ZREM', USER .. user, id)
end
