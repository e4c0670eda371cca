// node openapi_check.js DOCUMENT EXCHANGES [MANIFEST]: whether docs/openapi.yaml says so of each answer
// that tests/support/exchanges.h has kept: path and method, status, media type, headers, and a body with
// those members and no others. With the manifest also that the document pleases a linter, has the
// routes that are served, and says nothing that was not seen.
const { readFileSync } = require("node:fs");
const { createConfig, lint } = require("@redocly/openapi-core");
const Ajv = require("ajv/dist/2020");
const addFormats = require("ajv-formats");
const yaml = require("js-yaml");

const [file, exchanges, manifest] = process.argv.slice(2);
const doc = yaml.load(readFileSync(file, "utf8"));
const resolve = (node) => node?.$ref
	? node.$ref.split("/").slice(1).reduce((at, name) => at[name], doc) : node;

const operations = Object.entries(doc.paths).flatMap(([path, methods]) =>
	Object.entries(methods).filter(([method]) => method !== "parameters")
		.map(([method, { operationId, responses }]) => ({
			name: operationId,
			route: `${method.toUpperCase()} ${path}`,
			pattern: new RegExp(`^${path.replace(/{\w+}/g, "[^/]+")}$`),
			method: method.toUpperCase(),
			responses,
		})));

/* ---- Schemas -------------------------------------------------------------------------------- */

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

const validators = new Map();

function misfits(schema, value) {
	const local = JSON.stringify(close(schema)).replaceAll('"#/', '"doc#/');
	if (!validators.has(local))
		validators.set(local, ajv.compile(JSON.parse(local)));
	const fits = validators.get(local);
	return fits(value) ? [] : [ajv.errorsText(fits.errors)];
}

/* ---- An answer ------------------------------------------------------------------------------ */

function headerProblems(described, headers) {
	return Object.entries(described ?? {}).flatMap(([name, of]) => {
		const { required, schema } = resolve(of);
		const value = headers.get(name);
		if (value === null)
			return required ? [`there is no ${name}`] : [];
		return misfits(schema, schema.type === "integer" ? Number(value) : value)
			.map((problem) => `${name}: ${problem}`);
	});
}

function bodyProblems(content, { status, body }, headers) {
	if (!content)
		return body === "" ? [] : ["there is a body"];
	const type = headers.get("Content-Type");
	if (!content[type])
		return [`its type is ${type}`];
	const json = JSON.parse(body);
	if (type === "application/problem+json" && json.status !== status)
		return [`the problem is ${json.status}`];
	return misfits(content[type].schema, json);
}

function problemsOf(response, exchange) {
	const headers = new Headers(exchange.headers);
	const { headers: described, content } = resolve(response);
	return [...headerProblems(described, headers), ...bodyProblems(content, exchange, headers)];
}

/* What is no operation: a browser's question before it sends one, and what does not exist. */
const preflight = {};
const nothing = doc.components.responses.NotFound;

const seen = new Set();

function check(exchange) {
	const { method, target, status } = exchange;
	const path = target.split("?")[0];
	const operation = operations.find((each) => each.method === method && each.pattern.test(path));
	if (!operation) {
		const [statuses, response] = method === "OPTIONS" ? [[204], preflight] : [[404, 405], nothing];
		return statuses.includes(status) ? problemsOf(response, exchange) : ["this is no operation"];
	}
	const response = operation.responses[status];
	seen.add(`${operation.name} ${status}`);
	return response ? problemsOf(response, exchange) : ["this status is not described"];
}

/* What is wrong with many answers is said of the first. */
function checkAnswers() {
	const problems = new Map();
	for (const line of readFileSync(exchanges, "utf8").trimEnd().split("\n")) {
		const exchange = JSON.parse(line);
		const { method, target, status, body } = exchange;
		for (const problem of check(exchange)) {
			const text = `${method} ${target.slice(0, 80)}: ${status}: ${problem}: ${body.slice(0, 400)}`;
			const kind = `${method} ${status} ${problem}`;
			problems.set(kind, problems.get(kind) ?? text);
		}
	}
	return [...problems.values()];
}

/* ---- The document --------------------------------------------------------------------------- */

async function checkStyle() {
	const config = await createConfig({ extends: ["recommended"] });
	const problems = await lint({ ref: file, config });
	return problems.map(({ ruleId, message, location }) =>
		`${location[0]?.pointer}: ${message} (${ruleId})`);
}

function checkRoutes() {
	const { services } = JSON.parse(readFileSync(manifest, "utf8"));
	const served = Object.values(services).flatMap(({ routes }) => routes)
		.map(({ method, path }) => `${method} ${path}`);
	const described = operations.map(({ route }) => route);
	return [
		...served.filter((route) => !described.includes(route)).map((route) => `${route} is not described`),
		...described.filter((route) => !served.includes(route)).map((route) => `${route} is not served`),
	];
}

function checkAllSeen() {
	return operations.flatMap(({ name, responses }) => Object.keys(responses)
		.map((status) => `${name} ${status}`).filter((pair) => !seen.has(pair))
		.map((pair) => `${pair} is described, and was never seen`));
}

async function main() {
	const problems = checkAnswers();
	if (manifest)
		problems.push(...checkRoutes(), ...checkAllSeen(), ...await checkStyle());
	problems.forEach((problem) => console.error(problem));
	process.exitCode = problems.length > 0 ? 1 : 0;
}

main();
