-- claim.lua: worker, number of its claim, lease, history as the client knows it
return next_job(1)
