# What must hold of a plan: each function yields a line for each thing that is wrong. Beside the plan
# there are $described, the settings of each function; $defaults, those that are left alone;
# $queries; $collections; and $headings of the operators' handbook.

def resources($type): .planned_values.root_module.resources[] | select(.type == $type);

# The services, by the name of the function's folder; "feed@europe-west1" is feed.
def services: resources("google_cloud_run_v2_service")
	| {function: (.index | split("@")[0]), at: .index, env: .values.template[0].containers[0].env};

def unset: services
	| ([.env[].name] | map({(.): true}) | add) as $set
	| .function as $function | $described[0][$function][] | .name as $name
	| select($set[$name] == null and (.required or ($defaults[0] | index($name)) == null))
	| "  \($function) reads \($name)\(if .required then ", which has no default" else "" end)"
		+ ": set it in terraform/environment.tf, or say in tests/terraform/defaults.txt why not";

# The runtime names traces by the project, without asking for it.
def unread: services | .at as $at
	| (["GOOGLE_CLOUD_PROJECT", $described[0][.function][].name] | map({(.): true}) | add) as $read
	| .env[].name | select($read[.] == null) | "  \($at) does not read \(.)";

def is_secret: .kind == "secret" or (.name | test("SECRET|PASSWORD|ACCESS_KEY|_KEY$"));

def shown: services | .at as $at
	| ([$described[0][.function][] | select(is_secret) | {(.name): true}] | add // {}) as $secret
	| .env[] | select($secret[.name] and (.value_source | length) == 0)
	| "  \($at) is told \(.name) in plain text";

def public: [resources("google_cloud_run_v2_service")
		| select(.values.ingress == "INGRESS_TRAFFIC_INTERNAL_ONLY").values.name] as $private
	| .planned_values.root_module.resources[]
	| select(.type | endswith("_iam_member") or endswith("_iam_binding"))
	| select([.values.member?] + (.values.members? // []) | any(. == ("allUsers", "allAuthenticatedUsers")))
	| .values.name? as $name
	| select(.type != "google_cloud_run_v2_service_iam_member" or ($private | index($name)))
	| "  \(.address) is everybody's";

def mighty: .planned_values.root_module.resources[]
	| select((.values.role? // "") | test("^roles/(owner|editor|viewer)$|[aA]dmin$"))
	| "  \(.address) has \(.values.role)";

# A query that filters by a field and sorts by another needs an index that has the field and ends
# with the order. Firestore joins several of them.
def unindexed: [resources("google_firestore_index").values
		| {collection, fields: [.fields[] | {path: .field_path, order}]}] as $indexes
	| $queries[0][] | split("\t") as [$collection, $filter, $order, $direction, $file]
	| select($indexes | any(.collection == $collection and any(.fields[]; .path == $filter)
		and .fields[-1] == {path: $order, order: $direction}) | not)
	| "  \($file): \($collection) by \($filter), \($order) \($direction)";

def indexed_marks: [resources("google_firestore_field").values
		| select(.field == "_write" and .index_config == [{indexes: []}]).collection] as $exempt
	| $collections[0][] | select(. as $name | $exempt | index($name) | not) | "  \(.)._write";

def undocumented: resources("google_monitoring_alert_policy").values.conditions[0].display_name
	| select(. as $name | $headings[0] | index($name) | not) | "  \(.)";

# A metric of several kinds of resources has no values for who does not say which is meant.
def unplaced: (resources("google_monitoring_alert_policy").values.conditions[0]
		.condition_prometheus_query_language[0].query // empty),
		(resources("google_monitoring_dashboard").values.dashboard_json | fromjson | .. | .prometheusQuery? // empty)
	| scan("[a-z_]+_googleapis_com:[a-z_]+(?:{[^}]*})?")
	| select(contains("monitored_resource=") | not) | "  \(.)";

def counted: resources("google_logging_metric").values.filter | scan("jsonPayload.message:\"([^\"]*)\"")[];

# Instances read secrets when they start; a revision that changes with their versions starts new ones.
def stale: .resource_changes[] | select(.type == "google_cloud_run_v2_service") | .address as $address
	| .change | .after_unknown.template[0].annotations as $made
	| .after.template[0]
	| (.containers[0].env[].value_source[]?.secret_key_ref[].secret), (.volumes[]?.secret[].secret)
	| ltrimstr("phoenix-") | select($made[.]? | not) | "  \($address): \(.)";

# What each function is told, for starting it here: what is secret, or not known before all is built,
# has some value of its kind.
def environments: {REDIS_URL: "redis://127.0.0.1:1/0"} as $known
	| [services | {(.function): (.env
		| map({(.name): (if .value == null or (.value_source | length) > 0
			then $known[.name] // "some" else .value end)}) | add)}] | add;
