-- seats.lua: a user's limit has changed; none was or is above `most`.

local function seat(user, most)
	local free = free_places(user)
	local jobs = call('ZRANGE', USER .. user, 0, most - 1, 'WITHSCORES')
	for i = 1, #jobs, 2 do
		if (i + 1) / 2 <= free then
			make_ready(jobs[i], jobs[i + 1])
		else
			call('ZREM', READY, jobs[i])
		end
	end
end
