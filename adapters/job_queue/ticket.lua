-- ticket.lua: what a producer is told.

local function ticket(existed, id, state, runnable, score, gap)
	local rank = call('ZRANK', WAITING, id)
	return {existed, state, runnable and 1 or 0, tonumber(score), rank and rank + 1 or 0,
		call('ZCARD', WAITING), tonumber(gap or -1)}
end
