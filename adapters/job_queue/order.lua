-- order.lua: who is served first.
--
-- Start-time fair queueing: a job starts, in virtual time, when it comes, or when all that its
-- user asked for before has had its share. A user with fifty jobs costs the next one a place and
-- not fifty. The score is that moment and the penalty of the class: once the clock has passed it
-- nothing new gets ahead. `tick` never repeats or goes back, whatever the clock does.
local function take_score(user, time, last_tick, penalty, quantum)
	local tick = math.max(time, last_tick + 1)
	local start = math.max(tick, tonumber(call('GET', FAIR .. user)) or 0)
	if quantum > 0 then
		local done = start + quantum
		call('SET', FAIR .. user, done, 'PXAT', math.ceil(done / 1000))
	end
	return start + penalty, tick
end
