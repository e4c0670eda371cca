-- rare.lua: what follows, up to rare_end.lua, is defined only when it is needed.
local function rare()
