// node feed_openapi.js DOCUMENT MANIFEST URL: checks docs/openapi.yaml with a linter, that its operations
// are the manifest's routes, and that what Phoenix at URL answers to each of them is what it says:
// status, media type, headers, and a body with those members and no others.
const assert = require("node:assert/strict");
const { readFileSync } = require("node:fs");
const { createConfig, lint } = require("@redocly/openapi-core");
const Ajv = require("ajv/dist/2020");
const addFormats = require("ajv-formats");
const yaml = require("js-yaml");

const [file, manifest, url] = process.argv.slice(2);
const doc = yaml.load(readFileSync(file, "utf8"));
const NO_ID = "img_00000000000000000000000000";

/* ---- The document --------------------------------------------------------------------------- */

async function checkStyle() {
	const config = await createConfig({ extends: ["recommended"] });
	const problems = await lint({ ref: file, config });
	assert.deepEqual(problems.map(({ ruleId, message, location }) =>
		`${location[0]?.pointer}: ${message} (${ruleId})`), []);
}

function checkRoutes() {
	const { services } = JSON.parse(readFileSync(manifest, "utf8"));
	const served = Object.values(services).flatMap(({ routes }) => routes)
		.map(({ method, path }) => `${method} ${path}`);
	const described = Object.entries(doc.paths).flatMap(([path, methods]) =>
		Object.keys(methods).filter((method) => method !== "parameters")
			.map((method) => `${method.toUpperCase()} ${path}`));
	assert.deepEqual(described.sort(), served.sort());
}

const resolve = (node) => node?.$ref
	? node.$ref.split("/").slice(1).reduce((at, name) => at[name], doc) : node;

/* A member that is not described is a mistake here, though clients are to ignore it. */
function close(schema, isPart = false) {
	if (Array.isArray(schema))
		return schema.map((each) => close(each, isPart));
	if (typeof schema !== "object" || schema === null)
		return schema;
	const closed = Object.fromEntries(Object.entries(schema).map(([key, value]) =>
		[key, close(value, key === "allOf")]));
	const isObject = schema.$ref || schema.allOf || schema.type === "object";
	return isObject && !isPart ? { allOf: [closed], unevaluatedProperties: false } : closed;
}

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
/* Components stay open, since others are made of them. */
ajv.addSchema({ $id: "doc", components: doc.components });

function checkBody(name, schema, body) {
	const local = JSON.parse(JSON.stringify(close(schema)).replaceAll('"#/', '"doc#/'));
	const fits = ajv.compile(local);
	assert.ok(fits(body), `${name}: ${ajv.errorsText(fits.errors)}: ${JSON.stringify(body)}`);
}

/* ---- Asking --------------------------------------------------------------------------------- */

const seen = new Set();

/* Parameters fill the braces of the path. `wanted` is a status, or several of which each will do. */
async function ask(wanted, method, path, { id, username, query = "", body, ...headers } = {}) {
	const operation = doc.paths[path][method.toLowerCase()];
	const target = path.replace("{id}", id).replace("{username}", username) + query;
	const response = await fetch(url + target, {
		method,
		headers: { ...body && { "Content-Type": "application/json" }, ...headers },
		body: typeof body === "object" ? JSON.stringify(body) : body,
	});
	const text = await response.text();
	const { status } = response;
	const name = `${operation.operationId} ${status}`;
	assert.ok([wanted].flat().includes(status), `${name}, not ${wanted}: ${text}`);

	const described = resolve(operation.responses[status]);
	assert.ok(described, `${name} is not described`);
	for (const [header, of] of Object.entries(described.headers ?? {})) {
		const { required, schema } = resolve(of);
		const value = response.headers.get(header);
		assert.ok(value !== null || !required, `${name}: there is no ${header}`);
		if (value !== null)
			checkBody(`${name}, ${header}`, schema, schema.type === "integer" ? Number(value) : value);
	}
	seen.add(name);
	const [type, content] = Object.entries(described.content ?? {})[0] ?? [];
	if (!type) {
		assert.equal(text, "", name);
		return { response, status };
	}
	assert.equal(response.headers.get("Content-Type"), type, name);
	const json = JSON.parse(text);
	checkBody(name, content.schema, json);
	return { response, status, json };
}

async function signIn(name) {
	const response = await fetch(`${url}/issuer/token`, {
		method: "POST",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ name }),
	});
	assert.equal(response.status, 200);
	return { Authorization: `Bearer ${(await response.json()).access_token}` };
}

/* ---- What is asked -------------------------------------------------------------------------- */

async function makePictures(ann) {
	const path = "/api/image/generate";
	const body = { prompt: "a red fox" };
	const key = { ...ann, "Idempotency-Key": "k1" };
	const { json: made } = await ask(201, "POST", path, { ...key, body });
	await ask(200, "POST", path, { ...key, body });
	await ask(422, "POST", path, { ...key, body: { prompt: "another" } });
	await ask(422, "POST", path, { ...ann, body: { prompt: "a nude" } });
	await ask(400, "POST", path, { ...ann, body: { prompt: 7 } });
	await ask(401, "POST", path, { body });
	await ask(413, "POST", path, { ...ann, body: { prompt: "x".repeat(70_000) } });
	await ask(415, "POST", path, { ...ann, body: "prompt=fox", "Content-Type": "text/plain" });
	const { json: draft } = await ask(201, "POST", path, { ...ann, body: { ...body, publish: false } });
	return [made.id, draft.id];
}

async function makeVideos(ann, poor) {
	const path = "/api/video/generate";
	const body = { prompt: "a kite" };
	const key = { ...ann, "Idempotency-Key": "k2" };
	const { json: { id } } = await ask(202, "POST", path, { ...key, body });
	await ask(200, "POST", path, { ...key, body });
	await ask(422, "POST", path, { ...key, body: { prompt: "another" } });
	await ask(400, "POST", path, { ...ann, body: { prompt: "a kite", duration_s: 5 } });
	await ask(401, "POST", path, { body });
	for (let n = 0; n < 10; n++)
		await ask(202, "POST", path, { ...poor, body });
	await ask(402, "POST", path, { ...poor, body });

	const video = "/api/video/{id}";
	await ask(200, "GET", video, { ...ann, id });
	await ask(401, "GET", video, { id });
	await ask(404, "GET", video, { ...ann, id: NO_ID });
	await ask(404, "DELETE", video, { ...ann, id: NO_ID });
	let canceled; /* unless it is made before */
	do {
		const { json } = await ask(202, "POST", path, { ...ann, body });
		canceled = await ask([200, 202, 409], "DELETE", video, { ...ann, id: json.id });
	} while (canceled.status === 409);
}

async function browse(ann, ben, [made, draft]) {
	const { response, json } = await ask(200, "GET", "/api/feed", { query: "?limit=1" });
	const page = { query: "?limit=1", "If-None-Match": response.headers.get("ETag") };
	await ask(304, "GET", "/api/feed", page);
	await ask(200, "GET", "/api/feed", { ...ben, query: "?type=images" });
	await ask(400, "GET", "/api/feed", { query: "?type=none" });
	await ask(401, "GET", "/api/feed", { Authorization: "Bearer x" });
	assert.equal(json.creations[0].id, made);

	const one = "/api/creations/{id}";
	const found = await ask(200, "GET", one, { id: made });
	await ask(304, "GET", one, { id: made, "If-None-Match": found.response.headers.get("ETag") });
	await ask(200, "GET", one, { ...ann, id: draft });
	await ask(404, "GET", one, { ...ben, id: draft });
	await ask(401, "GET", one, { Authorization: "Bearer x", id: made });

	const like = `${one}/like`;
	await ask(204, "PUT", like, { ...ben, id: made });
	await ask(401, "PUT", like, { id: made });
	await ask(404, "PUT", like, { ...ben, id: draft });
	await ask(409, "PUT", like, { ...ann, id: draft });
	await ask(204, "DELETE", like, { ...ben, id: made });
	await ask(401, "DELETE", like, { id: made });
	await ask(404, "DELETE", like, { ...ben, id: NO_ID });

	const publish = `${one}/publish`;
	await ask(204, "PUT", publish, { ...ann, id: draft });
	await ask(401, "PUT", publish, { id: made });
	await ask(403, "PUT", publish, { ...ben, id: made });
	await ask(404, "PUT", publish, { ...ben, id: NO_ID });

	await ask(401, "DELETE", one, { id: made });
	await ask(403, "DELETE", one, { ...ben, id: made });
	await ask(204, "DELETE", one, { ...ann, id: made });
	await ask(404, "DELETE", one, { ...ann, id: made });
}

async function meet(ann, ben) {
	await ask(200, "GET", "/api/me", ann);
	await ask(401, "GET", "/api/me");
	const name = "/api/me/username";
	await ask(200, "PUT", name, { ...ann, body: { username: "Ann" } });
	await ask(409, "PUT", name, { ...ben, body: { username: "ann" } });
	await ask(400, "PUT", name, { ...ben, body: { username: "!" } });
	await ask(401, "PUT", name, { body: { username: "Carl" } });
	await ask(413, "PUT", name, { ...ben, body: { username: "x".repeat(5000) } });
	await ask(415, "PUT", name, { ...ben, body: "Ben", "Content-Type": "text/plain" });
	await ask(200, "GET", "/api/me/drafts", ann);
	await ask(400, "GET", "/api/me/drafts", { ...ann, query: "?limit=0" });
	await ask(401, "GET", "/api/me/drafts");

	const user = "/api/users/{username}";
	const found = await ask(200, "GET", user, { username: "ann" });
	await ask(304, "GET", user, { username: "ann", "If-None-Match": found.response.headers.get("ETag") });
	await ask(404, "GET", user, { username: "nobody_here" });
	const list = await ask(200, "GET", `${user}/creations`, { username: "ann" });
	const tag = list.response.headers.get("ETag");
	await ask(304, "GET", `${user}/creations`, { username: "ann", "If-None-Match": tag });
	await ask(400, "GET", `${user}/creations`, { username: "ann", query: "?cursor=x" });
	await ask(404, "GET", `${user}/creations`, { username: "nobody_here" });
	await ask(200, "GET", `${user}/creations`, { ...ben, username: "ann" });
}

/* Each operation has been seen to do what it is for. */
function checkAllSeen() {
	for (const methods of Object.values(doc.paths)) {
		for (const { operationId, responses } of Object.values(methods)) {
			const done = Object.keys(responses ?? {}).filter((status) => status < 300);
			assert.ok(!operationId || done.some((status) => seen.has(`${operationId} ${status}`)),
				`${operationId} was not seen to succeed`);
		}
	}
}

async function main() {
	await checkStyle();
	checkRoutes();
	const [ann, ben, poor] = await Promise.all(["ann", "ben", "poor"].map(signIn));
	const ids = await makePictures(ann);
	await browse(ann, ben, ids);
	await meet(ann, ben);
	await makeVideos(ann, poor);
	checkAllSeen();
}

main().catch((error) => {
	console.error(error.message);
	process.exitCode = 1;
});
