# From `terraform graph`: Google's resources that do not depend, over whatever others, on those services
# of Google Cloud that are switched on first. In a new project they fail, or not, as chance has it.
/ -> / {
	gsub(/[";]/, "")
	from[++edges] = $1
	to[edges] = $3
}
/ \[label=/ {
	gsub(/"/, "")
	named[$1]
}
END {
	waits["google_project_service.this"]
	do {
		found = 0
		for (i = 1; i <= edges; i++)
			if (to[i] in waits && !(from[i] in waits)) {
				waits[from[i]]
				found = 1
			}
	} while (found)
	for (name in named)
		if (name ~ /^google_/ && !(name in waits))
			print "  " name
}
