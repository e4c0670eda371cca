/* The page: one prompt, one picture at a time, and those made before it in this visit. */

const RETRIES = { attempts: 6, firstMs: 1000, mostMs: 20_000, patienceMs: 60_000 };
const WORTH_REPEATING = new Set([409, 429, 503]); /* 409: the first request is still at work */

const el = (id) => document.getElementById(id);
const form = el("form");
const prompt = el("prompt");

/* ---- Asking ------------------------------------------------------------------------------- */

/* What the server says went wrong (RFC 9457), or that it could not be asked. */
class Problem extends Error {
	constructor(status, { title, detail } = {}, retryAfterMs = 0) {
		super(detail ?? title ?? "Something went wrong. Please try again.");
		this.status = status;
		this.retryAfterMs = retryAfterMs;
	}
}

function retryAfterMs(response) {
	const value = response.headers.get("Retry-After");
	if (!value)
		return 0;
	const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
	return Math.max(ms || 0, 0);
}

async function post(request, key, signal) {
	let response;
	try {
		response = await fetch("/api/image/generate", {
			method: "POST",
			headers: { "Content-Type": "application/json", "Idempotency-Key": key },
			body: JSON.stringify(request),
			signal,
		});
	} catch (error) {
		signal.throwIfAborted();
		throw new Problem(0, { detail: "The server cannot be reached. Is the connection up?" });
	}
	if (!response.ok)
		throw new Problem(response.status, await response.json().catch(() => ({})),
			retryAfterMs(response));
	return response.json();
}

function sleep(ms, signal) {
	return new Promise((resolve, reject) => {
		const stop = () => {
			clearTimeout(timer);
			reject(signal.reason);
		};
		const timer = setTimeout(() => {
			signal.removeEventListener("abort", stop);
			resolve();
		}, ms);
		signal.addEventListener("abort", stop, { once: true });
	});
}

/* How long to wait before the next attempt: what the server asked for, else doubled and
 * jittered. Nothing where waiting would not help, or would try anybody's patience. */
function waitBefore(attempt, problem) {
	const backoff = Math.min(RETRIES.firstMs * 2 ** (attempt - 1), RETRIES.mostMs);
	const ms = problem.retryAfterMs || backoff * (0.5 + Math.random() / 2);
	const helps = problem.status === 0 || WORTH_REPEATING.has(problem.status);
	return helps && attempt < RETRIES.attempts && ms <= RETRIES.patienceMs ? ms : undefined;
}

/* All attempts carry one key, so that the server paints, and charges, once. */
async function generate(request, key, signal, onProgress) {
	for (let attempt = 1; ; attempt++) {
		onProgress("Painting");
		try {
			return await post(request, key, signal);
		} catch (problem) {
			const ms = problem instanceof Problem ? waitBefore(attempt, problem) : undefined;
			if (ms === undefined)
				throw problem;
			onProgress(problem.status === 0 ? "No connection, trying again"
				: "Server busy, trying again");
			await sleep(ms, signal);
		}
	}
}

/* ---- Showing ------------------------------------------------------------------------------ */

const TITLES = {
	0: "No connection",
	422: "This one cannot be painted",
	429: "One moment, please",
	503: "Server busy, please try again",
	504: "That took too long",
};

/* One of the three at a time, or none. */
function show(id) {
	for (const stage of ["waiting", "failure", "result"])
		el(stage).hidden = stage !== id;
}

function showProgress(text) {
	el("progress").textContent = text;
	el("announcement").textContent = text;
}

/* The clock runs until the returned function is called. */
function showWaiting(request) {
	const start = performance.now();
	const tick = () => {
		const seconds = (performance.now() - start) / 1000;
		el("elapsed").textContent = `${seconds.toFixed(1)} s`;
	};
	const timer = setInterval(tick, 100);
	tick();
	el("waiting").style.setProperty("--ratio", request.aspect_ratio.replace(":", " / "));
	el("waiting-prompt").textContent = request.prompt;
	show("waiting");
	el("waiting").scrollIntoView({ block: "nearest" });
	return () => clearInterval(timer);
}

function showFailure(problem) {
	el("failure-title").textContent = TITLES[problem.status] ?? "That did not work";
	el("failure-detail").textContent = problem.message;
	el("announcement").textContent = "";
	el("retry").hidden = problem.status >= 400 && !WORTH_REPEATING.has(problem.status)
		&& problem.status < 500;
	show("failure");
	el("failure").scrollIntoView({ block: "nearest" });
}

/* Only when all of it is there. */
async function showPicture(creation) {
	const picture = el("picture");
	Object.assign(picture, { src: creation.url, alt: creation.prompt,
		width: creation.width, height: creation.height });
	await picture.decode().catch(() => {
		throw new Problem(0, { detail: `The picture is made, but cannot be loaded: ${creation.url}` });
	});
	el("result").style.setProperty("--ratio", `${creation.width} / ${creation.height}`);
	el("result-prompt").textContent = creation.prompt;
	el("result-facts").textContent = `${creation.width} × ${creation.height}`;
	el("result-link").href = creation.url;
	el("download").href = creation.url;
	el("announcement").textContent = `The picture is ready: ${creation.prompt}`;
	show("result");
}

/* The newest first. */
function addToGallery(creation) {
	const item = el("gallery-item").content.cloneNode(true);
	item.querySelector("a").href = creation.url;
	Object.assign(item.querySelector("img"), { src: creation.url, alt: creation.prompt,
		width: creation.width, height: creation.height });
	el("pictures").prepend(item);
	el("gallery").hidden = false;
}

/* ---- Acting ------------------------------------------------------------------------------- */

let shown; /* the creation on the page, until the next one takes its place */
let submission; /* the one in progress, or the last: trying again goes on with its key */
let underWay = new AbortController();

async function submit({ request, key }) {
	underWay = new AbortController();
	if (shown)
		addToGallery(shown);
	shown = undefined;
	el("submit").disabled = true;
	const stopClock = showWaiting(request);
	try {
		const creation = await generate(request, key, underWay.signal, showProgress);
		await showPicture(creation);
		shown = creation;
	} catch (problem) {
		if (underWay.signal.aborted)
			show();
		else
			showFailure(problem);
	} finally {
		stopClock();
		el("submit").disabled = false;
	}
}

form.addEventListener("submit", (event) => {
	event.preventDefault();
	const fields = new FormData(form);
	const request = {
		prompt: fields.get("prompt").trim(),
		aspect_ratio: fields.get("aspect_ratio"),
	};
	submission = { request, key: crypto.randomUUID() };
	submit(submission);
});

el("retry").addEventListener("click", () => submit(submission));
el("cancel").addEventListener("click", () => underWay.abort());

/* Enter sends, as in any one-line field; with Shift it starts a new line. */
prompt.addEventListener("keydown", (event) => {
	if (event.key !== "Enter" || event.shiftKey || event.isComposing)
		return;
	event.preventDefault();
	if (!el("submit").disabled)
		form.requestSubmit();
});
