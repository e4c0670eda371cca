-- order.lua: who is served first.
--
-- Start-time fair queueing: a job starts, in virtual time, when it comes, or when all that its
-- user asked for before has had its share. A user with fifty jobs costs the next one a place and
-- not fifty. The score is that moment and the penalty of the class: once the clock has passed it
-- nothing new gets ahead. `tick` never repeats or goes back, whatever the clock does.
-- Returns the score and the tick, both as text.
local function take_score(user, last_tick, penalty, quantum)
	local tick, tick_text = now()
	local fair = tonumber(call('GET', FAIR .. user) or 0)
	if last_tick and tick <= tonumber(last_tick) then
		tick = last_tick + 1
		tick_text = string.format('%.0f', tick)
	end
	local start = math.max(tick, fair)
	if quantum > 0 then
		local done = string.format('%.0f', start + quantum)
		call('SET', FAIR .. user, done, 'PXAT', done:sub(1, -4) + 1)
	end
	return string.format('%.0f', start + penalty), tick_text
end
