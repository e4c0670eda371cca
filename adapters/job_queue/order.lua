-- order.lua: who is served first.
--
-- Start-time fair queueing: a job starts, in virtual time, when it comes, or when all that its
-- user asked for before has had its share. A user with fifty jobs costs the next one a place and
-- not fifty. The score is that moment and the penalty of the class: once the clock has passed it
-- nothing new gets ahead. `tick` never repeats or goes back, whatever the clock does.
-- Returns as text the score, the tick, and when the user is served.
local function take_score(last_tick, fair, penalty, quantum)
	local tick, tick_text = now()
	if last_tick and tick <= tonumber(last_tick) then
		tick = last_tick + 1
		tick_text = integer(tick)
	end
	local start = math.max(tick, fair or 0)
	return integer(start + penalty), tick_text, integer(start + quantum)
end
