// node openapi_ask.js DOCUMENT EXCHANGES URL: asks Phoenix at URL for everything that docs/openapi.yaml says it
// answers, but for what a store that fails makes of it, and keeps the answers as
// tests/support/exchanges.h does. Phoenix is as openapi_test.c sets it up.
const assert = require("node:assert/strict");
const { appendFileSync } = require("node:fs");
const { setTimeout } = require("node:timers/promises");

const [, exchanges, url] = process.argv.slice(2);
const TRIES = 600; /* half a minute */
const NO_ID = "img_00000000000000000000000000";

/* Parameters fill the braces of the path. `wanted` is a status, or several of which each will do. */
async function ask(wanted, method, path, { id, username, query = "", body, ...headers } = {}) {
	const target = path.replace("{id}", id).replace("{username}", username) + query;
	const response = await fetch(url + target, {
		method,
		headers: { ...body && { "Content-Type": "application/json" }, ...headers },
		body: typeof body === "object" ? JSON.stringify(body) : body,
	});
	const text = await response.text();
	const { status } = response;
	const exchange = { method, target, status, headers: [...response.headers], body: text };
	appendFileSync(exchanges, JSON.stringify(exchange) + "\n");
	assert.ok([wanted].flat().includes(status), `${method} ${target}: ${status}, not ${wanted}: ${text}`);
	return { status, tag: response.headers.get("ETag"), json: text && JSON.parse(text) };
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

/* ---- Pictures ------------------------------------------------------------------------------- */

const image = "/api/image/generate";
const fox = { prompt: "a red fox" };

async function makePictures(ann) {
	const key = { ...ann, "Idempotency-Key": "k1" };
	await ask(502, "POST", image, { ...ann, body: fox });
	await ask(504, "POST", image, { ...ann, body: fox });
	const { json: made } = await ask(201, "POST", image, { ...key, body: fox });
	await ask(200, "POST", image, { ...key, body: fox });
	await ask(422, "POST", image, { ...key, body: { prompt: "another" } });
	await ask(422, "POST", image, { ...ann, body: { prompt: "a nude" } });
	await ask(400, "POST", image, { ...ann, body: { prompt: 7 } });
	await ask(401, "POST", image, { body: fox });
	await ask(413, "POST", image, { ...ann, body: { prompt: "x".repeat(70_000) } });
	await ask(415, "POST", image, { ...ann, body: "prompt=fox", "Content-Type": "text/plain" });
	const { json: draft } = await ask(201, "POST", image, { ...ann, body: { ...fox, publish: false } });
	return [made.id, draft.id];
}

/* Of two at once the second finds the first at work, unless that has not begun yet or has ended. */
async function makeTwice(ben) {
	for (let n = 0, answers = []; !answers.includes(409); n++) {
		const request = { ...ben, "Idempotency-Key": `twice-${n}`, body: fox };
		const both = [1, 2].map(() => ask([200, 201, 409], "POST", image, request));
		answers = (await Promise.all(both)).map(({ status }) => status);
	}
}

async function makeTooMany(greedy) {
	let status;
	do
		({ status } = await ask([201, 429], "POST", image, { ...greedy, body: fox }));
	while (status !== 429);
	await ask(429, "POST", "/api/video/generate", { ...greedy, body: { prompt: "a kite" } });
}

/* ---- Videos --------------------------------------------------------------------------------- */

const videos = "/api/video/generate";
const video = "/api/video/{id}";
const kite = { prompt: "a kite" };

async function becomes(status, one) {
	let json;
	for (let n = 0; n < TRIES && json?.status !== status; n++) {
		({ json } = await ask(200, "GET", video, one));
		await setTimeout(50);
	}
	assert.equal(json.status, status);
}

/* The first is refused by the model. */
async function askForVideos(ann) {
	const key = { ...ann, "Idempotency-Key": "k2" };
	const { json: { id } } = await ask(202, "POST", videos, { ...key, body: kite });
	await ask(200, "POST", videos, { ...key, body: kite });
	await ask(422, "POST", videos, { ...key, body: { prompt: "another" } });
	await ask(400, "POST", videos, { ...ann, body: { ...kite, duration_s: 5 } });
	await ask(401, "POST", videos, { body: kite });
	await ask(413, "POST", videos, { ...ann, body: { prompt: "x".repeat(70_000) } });
	await ask(415, "POST", videos, { ...ann, body: "prompt=kite", "Content-Type": "text/plain" });
	await becomes("failed", { ...ann, id });
	await ask(409, "DELETE", video, { ...ann, id });
}

/* All that somebody can pay for. Two are made at once, so the last has to wait. */
async function spendAll(poor) {
	const asked = [];
	for (let n = 0; n < 10; n++)
		asked.push(await ask(202, "POST", videos, { ...poor, "Idempotency-Key": `v${n}`, body: kite }));
	await ask(402, "POST", videos, { ...poor, body: kite });
	await ask(402, "POST", image, { ...poor, body: fox });
	return [asked[0].json.id, asked[9].json.id];
}

async function cancelVideos(ann, poor, [first, last]) {
	const waits = { ...poor, id: last };
	await ask(200, "GET", video, waits);
	await ask(401, "GET", video, { id: last });
	await ask(404, "GET", video, { ...ann, id: last });
	await ask(401, "DELETE", video, { id: last });
	await ask(404, "DELETE", video, { ...ann, id: last });
	await ask(409, "DELETE", "/api/creations/{id}", waits);
	await ask(200, "DELETE", video, waits);
	await ask(204, "DELETE", "/api/creations/{id}", waits);
	await ask(404, "POST", videos, { ...poor, "Idempotency-Key": "v9", body: kite });

	await becomes("running", { ...poor, id: first });
	await ask(202, "DELETE", video, { ...poor, id: first });
}

/* ---- Feed and people ------------------------------------------------------------------------ */

async function browse(ann, ben, [made, draft]) {
	const { tag, json } = await ask(200, "GET", "/api/feed", { query: "?limit=1" });
	await ask(304, "GET", "/api/feed", { query: "?limit=1", "If-None-Match": tag });
	await ask(200, "GET", "/api/feed", { ...ben, query: "?type=images" });
	await ask(400, "GET", "/api/feed", { query: "?type=none" });
	await ask(401, "GET", "/api/feed", { Authorization: "Bearer x" });
	assert.equal(json.creations[0].id, made);

	const one = "/api/creations/{id}";
	const found = await ask(200, "GET", one, { id: made });
	await ask(304, "GET", one, { id: made, "If-None-Match": found.tag });
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
	await ask(404, "POST", image, { ...ann, "Idempotency-Key": "k1", body: fox });
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
	for (const list of ["/api/me/creations", "/api/me/drafts"]) {
		await ask(200, "GET", list, ann);
		await ask(400, "GET", list, { ...ann, query: "?limit=0" });
		await ask(401, "GET", list);
	}

	const user = "/api/users/{username}";
	const found = await ask(200, "GET", user, { username: "ann" });
	await ask(304, "GET", user, { username: "ann", "If-None-Match": found.tag });
	await ask(401, "GET", user, { username: "ann", Authorization: "Bearer x" });
	await ask(404, "GET", user, { username: "nobody_here" });

	const list = `${user}/creations`;
	const page = await ask(200, "GET", list, { username: "ann" });
	await ask(304, "GET", list, { username: "ann", "If-None-Match": page.tag });
	await ask(200, "GET", list, { ...ben, username: "ann" });
	await ask(400, "GET", list, { username: "ann", query: "?cursor=x" });
	await ask(401, "GET", list, { username: "ann", Authorization: "Bearer x" });
	await ask(404, "GET", list, { username: "nobody_here" });
}

async function main() {
	const names = ["ann", "ben", "poor", "greedy"];
	const [ann, ben, poor, greedy] = await Promise.all(names.map(signIn));
	const ids = await makePictures(ann);
	await browse(ann, ben, ids);
	await meet(ann, ben);
	await makeTwice(ben);
	await makeTooMany(greedy);
	await askForVideos(ann);
	await cancelVideos(ann, poor, await spendAll(poor));
}

main().catch((error) => {
	console.error(error.message);
	process.exitCode = 1;
});
