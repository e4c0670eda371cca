// The Worker in front passes each request to the function whose route it is, as it came:
// node tests/terraform/front.mjs TREE PLAN.json
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const [tree, planFile] = process.argv.slice(2);
const read = (path) => readFileSync(path, "utf8");
const source = read(`${tree}/terraform/front.js`);
const { default: front } = await import(`data:text/javascript,${encodeURIComponent(source)}`);

const plan = JSON.parse(read(planFile)).planned_values.root_module.resources;
const { bindings } = plan.find((resource) => resource.type === "cloudflare_workers_script").values;
const binding = (name) => bindings.find((each) => each.name === name);
const { services } = JSON.parse(read(`${tree}/terraform/services.auto.tfvars.json`));

const environment = {
	ROUTES: JSON.parse(binding("ROUTES").json),
	DEFAULT: binding("DEFAULT").text,
	ORIGINS: Object.fromEntries(Object.keys(services).map((name) => [name, `https://${name}.example`])),
};

let passed;
globalThis.fetch = async (request, options) => {
	passed = request;
	assert.equal(options.redirect, "manual");
	return new Response("answer");
};

async function goesTo(name, method, path) {
	const body = method === "POST" ? "a red fox" : undefined;
	const request = new Request(`https://phoenix.example.com${path}`, {
		method, body, headers: { Authorization: "Bearer t" },
	});

	assert.equal(await (await front.fetch(request, environment)).text(), "answer");
	assert.equal(passed.url, `https://${name}.example${path}`, `${method} ${path}`);
	assert.equal(passed.method, method);
	assert.equal(passed.headers.get("Authorization"), "Bearer t");
	if (body)
		assert.equal(await passed.text(), body);
}

for (const [name, { routes }] of Object.entries(services))
	for (const { method, path } of routes)
		await goesTo(name, method, path.replace(/\{[^}]+\}/g, "x-1"));

for (const path of ["/", "/app.js", "/api", "/api/video", "/api/video/a/b", "/api/video//?a=b&c=%2F"])
	await goesTo("feed", "GET", path);
await goesTo("submit_video", "GET", "/api/video/generate?x=1");
