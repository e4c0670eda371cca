# awk -f tests/layers.awk FILE...: refuses an include that points up, or past a port. The files are
# C, named from the root of the tree. What each folder may include of ours stands in the table.

BEGIN {
	port = "adapters/[a-z0-9_]+[.]h"
	may["runtime"]   = "fn/.*|[a-z0-9_]+[.]h"
	may["adapters"]  = "fn/.*|adapters/.*"
	may["domain"]    = "fn/.*|domain/.*|" port
	may["functions"] = "fn/.*|domain/.*|" port
	may["tools"]     = may["functions"]
	may["local"]     = "fn/.*"
	ours = "^(fn|runtime|adapters|domain|functions|local|tools|tests|bench)/"
	input_output = "^(curl|hiredis)/|^(sqlite3|openssl/ssl|sys/socket|netdb)[.]h"
}

function refuse(why) {
	printf "%s:%d: %s: %s\n", FILENAME, FNR, included, why
	refused++
}

FNR == 1 {
	split(FILENAME, path, "/")
	layer = path[1]
	allowed = may[layer]
	if (layer ~ /^(functions|local|tools)$/)
		allowed = allowed "|" layer "/" path[2] "/.*"
}

allowed && /^[ \t]*#[ \t]*include[ \t]*["<]/ {
	included = $0
	gsub(/^[^"<]*["<]|[">].*$/, "", included)
	system_header = $0 ~ /</

	if (system_header && layer ~ /^(domain|functions|tools)$/ && included ~ input_output)
		refuse("input and output belong to adapters")
	if (system_header && included !~ ours)
		next
	if (included !~ "^(" allowed ")$" || included ~ /[.][.]/)
		refuse(layer " may not include this")
	else if (included ~ /_backend[.]h$/ && layer != "adapters")
		refuse("only a backend may include this")
	else if (included == "fn/serve.h" && layer != "runtime" && FILENAME !~ /\/main[.]c$/)
		refuse("only main.c may include this")
}

END {
	exit refused > 0
}
