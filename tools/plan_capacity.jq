# The planner's sums. Amounts are of a month, in US dollars.

def above(free): [. - free, 0] | max;
def round_up: . as $x | floor | if . < $x then . + 1 else . end;
def dollars: round | tostring;
def grouped: tostring | [while(length > 0; .[:-3])] | reverse
	| [foreach .[] as $part (""; $part; $part)] as $heads
	| [range($heads | length)] | map(if . == 0 then $heads[0] else $heads[.][($heads[. - 1] | length):] end) | join(" ");

$prices[0] as $price
| $price.assumptions as $assume
| ($price.hours * 3600) as $month_s

# ---- What there may be: the manifest with the phase's limits, in all regions ----

| def services($phase): $manifest[0].services | with_entries(
	($phase.regions // ["home"] | length) as $regions
	| (.value * ($phase.limits[.key] // {})) as $s
	| (if $s.events then 1 else $regions end) as $places
	| .value = ($s + {min: ($s.min_instances * $places), max: ($s.max_instances * $places)}));

# ---- What is expected of it ----

def demand($phase): {
	generate_image: {requests: $phase.phase.images, seconds: $assume.image_s},
	submit_video: {requests: ($phase.phase.videos * 20), seconds: $assume.submit_s},
	video_worker: {requests: $phase.phase.videos, seconds: $assume.video_s},
	feed: {requests: ($phase.phase.page_views * $assume.api_requests_per_page), seconds: $assume.page_s},
};

# Requests in it at the same time, on average.
def in_flight: .requests * .seconds / $month_s;

def gib: .memory | if endswith("Gi") then .[:-2] | tonumber else (.[:-2] | tonumber) / 1024 end;

def run_cost($phase): services($phase) as $services | demand($phase) as $demand
	| [$services | to_entries[] | .value as $s | ($demand[.key] // {requests: 0, seconds: 0}) as $d
		| ($d.requests * $d.seconds / ([1, ([$s.concurrency, ($d | in_flight)] | min)] | max)) as $busy_s
		| ([$s.min * $month_s - $busy_s, 0] | max) as $idle_s
		| {requests: $d.requests, cpu_s: ($busy_s * $s.cpu), gib_s: ($busy_s * ($s | gib)),
			idle: ($idle_s * ($s.cpu * $price.run.idle_cpu_s + ($s | gib) * $price.run.idle_gib_s))}]
	| (map(.cpu_s) | add | above($price.run.free.cpu_s)) * $price.run.cpu_s
	+ (map(.gib_s) | add | above($price.run.free.gib_s)) * $price.run.gib_s
	+ (map(.requests) | add | above($price.run.free.requests)) / 1e6 * $price.run.million_requests
	+ (map(.idle) | add);

def redis_cost($phase): $phase.redis as $r
	| $r.memory_gb * $price.hours * ($price.redis[$r.tier] + ($r.replicas // 0) * $price.redis.replica);

def store_cost($phase): ($phase.phase.images + $phase.phase.videos) as $creations
	| ($creations * $assume.reads_per_creation + $phase.phase.page_views * $assume.reads_per_page) as $reads
	| ($reads | above($price.firestore.free.reads)) / 1e5 * $price.firestore.read_100k
	+ ($creations * $assume.writes_per_creation | above($price.firestore.free.writes)) / 1e5 * $price.firestore.write_100k;

def object_cost($phase): ($phase.phase.images + $phase.phase.videos) as $creations
	| (($phase.phase.images * $assume.image_mb + $phase.phase.videos * $assume.video_mb) * $assume.months_kept / 1000) as $gb
	| ($gb | above($price.r2.free.gb) | round_up) * $price.r2.gb_month
	+ ($creations | above($price.r2.free.writes) / 1e6 | round_up) * $price.r2.million_writes
	+ ($creations * $assume.views_per_picture | above($price.r2.free.reads) / 1e6 | round_up) * $price.r2.million_reads;

def edge_cost($phase): ([demand($phase)[] | .requests] | add) as $requests
	| if $phase.load_balancer or ($phase.regions // [] | length) > 1
	then 2 * $price.hours * $price.edge.forwarding_rule_h + $price.edge.policy_month + 2 * $price.edge.rule_month
		+ $requests / 1e6 * $price.edge.million_requests
	elif $requests > $price.worker.free_requests
	then $price.worker.month_when_paid + ($requests | above(10e6)) / 1e6 * $price.worker.million_requests
	else 0 end;

def model_cost($phase): $phase.phase.images * $price.models.image
	+ $phase.phase.videos * $assume.video_length_s * $price.models.video_second;

# ---- What is said of a phase ----

def plan: . as $phase | services($phase) as $s
	| {
		number: .phase.number, name: .phase.name, users: .phase.users,
		regions: (.regions // ["home"] | length),
		image_instances: $s.generate_image.max, images_at_once: ($s.generate_image.max * $s.generate_image.concurrency),
		images_per_s: ($s.generate_image.max * $s.generate_image.concurrency / $assume.image_s | floor),
		images_per_s_at_peak: (.phase.images / $month_s * $assume.peak * 100 | round / 100),
		workers: $s.video_worker.max, videos_per_minute: ($s.video_worker.max * 60 / $assume.video_s | floor),
		videos_per_minute_at_peak: (.phase.videos * 60 / $month_s * $assume.peak * 100 | round / 100),
		redis: "\(.redis.tier) \(.redis.memory_gb) GiB\(if .redis.replicas then " + \(.redis.replicas)" else "" end)",
		run: run_cost($phase), redis_usd: redis_cost($phase), firestore: store_cost($phase),
		objects: object_cost($phase), edge: edge_cost($phase), models: model_cost($phase),
		document: .phase.cost_usd
	}
	| . + {total: (.run + .redis_usd + .firestore + .objects + .edge)};

[inputs | plan]
| if $format == "markdown" then
	"| phase | users | instances for pictures | at once | a second | workers | videos a minute | Redis | the document says | planned without models | models |",
	"|---|---|---|---|---|---|---|---|---|---|---|",
	(.[] | "| \(.number) \(.name) | \(.users | grouped) | \(.image_instances | grouped) | \(.images_at_once | grouped) | \(.images_per_s | grouped) | \(.workers) | \(.videos_per_minute) | \(.redis) | $\(.document[0] | grouped)–\(.document[1] | grouped) | $\(.total | round | grouped) | $\(.models | round | grouped) |")
else
	(.[] |
		"Phase \(.number), \(.name): \(.users | grouped) users in \(.regions) region\(if .regions > 1 then "s" else "" end)",
		"  pictures  \(.image_instances) instances, \(.images_at_once) at once, \(.images_per_s) a second; expected at a peak: \(.images_per_s_at_peak)",
		"  videos    \(.workers) workers, \(.videos_per_minute) a minute; expected at a peak: \(.videos_per_minute_at_peak)",
		"  a month   Cloud Run $\(.run | dollars), Redis $\(.redis_usd | dollars), Firestore $\(.firestore | dollars), R2 $\(.objects | dollars), edge $\(.edge | dollars): $\(.total | dollars) (the document: $\(.document[0])-\(.document[1]))",
		"            and models $\(.models | dollars)",
		""),
	"Prices of \($price.as_of). \($price.note)"
end
