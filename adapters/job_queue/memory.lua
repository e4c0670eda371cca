-- memory.lua: for verbs that must go on where memory has run out.

-- At its limit Redis refuses a script's first write if that could need memory, and lets all of
-- them through after one that could not. So leases live on, with any version of Redis.
local function spend_memory()
	call('DEL', NOTHING)
end
