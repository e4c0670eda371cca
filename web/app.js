/* The page: one prompt, one picture or video at a time, and those made before it in this visit. */

import { Problem } from "./ask.js";
import { make, PATIENCE_MS, WORTH_REPEATING } from "./make.js";

const el = (id) => document.getElementById(id);
const form = el("form");
const prompt = el("prompt");

/* ---- Showing ------------------------------------------------------------------------------ */

const TITLES = {
	0: "No connection",
	402: "Too few tokens",
	422: "This one cannot be made",
	429: "One moment, please",
	503: "Server busy, please try again",
	504: "That took too long",
};

/* One of the three at a time, or none. */
function show(id) {
	for (const stage of ["waiting", "failure", "result"])
		el(stage).hidden = stage !== id;
}

function showProgress(text, percent) {
	el("progress").textContent = text;
	el("announcement").textContent = text;
	el("bar").hidden = percent == null;
	el("bar").value = percent ?? 0;
}

/* The clock runs until the returned function is called. */
function showWaiting({ type, request }) {
	const start = performance.now();
	const tick = () => {
		const seconds = (performance.now() - start) / 1000;
		el("elapsed").textContent = `${seconds.toFixed(1)} s`;
	};
	const timer = setInterval(tick, 100);
	tick();
	el("waiting").style.setProperty("--ratio", request.aspect_ratio.replace(":", " / "));
	el("waiting-prompt").textContent = request.prompt;
	el("waiting-hint").hidden = type !== "video";
	show("waiting");
	el("waiting").scrollIntoView({ block: "nearest" });
	return () => clearInterval(timer);
}

const clockIn = (ms) => new Date(Date.now() + ms).toLocaleTimeString([], { timeStyle: "short" });

function showFailure(problem) {
	const isLater = problem.status === 429 && problem.retryAfterMs > PATIENCE_MS;

	el("failure-title").textContent = isLater ? "That is all for now"
		: TITLES[problem.status] ?? "That did not work";
	el("failure-detail").textContent = isLater
		? `The next one can be made at ${clockIn(problem.retryAfterMs)}.` : problem.message;
	el("announcement").textContent = "";
	el("retry").hidden = isLater || problem.status >= 400 && !WORTH_REPEATING.has(problem.status)
		&& problem.status < 500;
	show("failure");
	el("failure").scrollIntoView({ block: "nearest" });
}

/* A picture, or a video that plays without a sound until somebody wants to hear it. */
function mediumOf(creation) {
	const { type, url, prompt, width, height } = creation;
	const medium = document.createElement(type === "video" ? "video" : "img");
	if (type === "video")
		Object.assign(medium, { muted: true, loop: true, playsInline: true, ariaLabel: prompt });
	else
		medium.alt = prompt;
	return Object.assign(medium, { src: url, width, height });
}

/* Resolves when all of a picture, or enough of a video, is there. */
function loaded(medium) {
	if (medium.decode)
		return medium.decode();
	return new Promise((resolve, reject) => {
		medium.addEventListener("loadeddata", resolve, { once: true });
		medium.addEventListener("error", reject, { once: true });
	});
}

/* A video has controls, which cannot be in a link. */
function frame(id, medium) {
	for (const other of ["film", "result-link"]) {
		el(other).hidden = other !== id;
		el(other).replaceChildren(...(other === id ? [medium] : []));
	}
}

async function showResult(creation) {
	const medium = mediumOf(creation);
	if (creation.type === "video")
		Object.assign(medium, { controls: true, autoplay: true });
	await loaded(medium).catch(() => {
		throw new Problem(0, { detail: `It is made, but cannot be loaded: ${creation.url}` });
	});
	el("result").style.setProperty("--ratio", `${creation.width} / ${creation.height}`);
	el("result-prompt").textContent = creation.prompt;
	el("result-facts").textContent = `${creation.width} × ${creation.height}`;
	el("result-link").href = creation.url;
	el("result-page").href = `#${creation.id}`;
	frame(creation.type === "video" ? "film" : "result-link", medium);
	el("download").href = creation.url;
	el("announcement").textContent =
		`The ${creation.type === "video" ? "video" : "picture"} is ready: ${creation.prompt}`;
	show("result");
}

/* The newest first. */
function addToGallery(creation) {
	const item = el("gallery-item").content.cloneNode(true);
	const link = item.querySelector("a");
	link.href = creation.url;
	link.append(mediumOf(creation));
	el("pictures").prepend(item);
	el("gallery").hidden = false;
}

/* ---- Acting ------------------------------------------------------------------------------- */

let shown; /* the creation on the page, until the next one takes its place */
let submission; /* the one in progress, or the last: trying again goes on with its key */
let underWay = new AbortController();

async function submit(order) {
	const { type, request, key } = order;
	underWay = new AbortController();
	if (shown)
		addToGallery(shown);
	shown = undefined;
	el("submit").disabled = true;
	const stopClock = showWaiting(order);
	try {
		const creation = await make[type](request, key, underWay.signal, showProgress);
		await showResult(creation);
		shown = creation;
		document.dispatchEvent(new CustomEvent("creation", { detail: creation }));
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
	prompt.value = prompt.value.trim();
	if (!form.reportValidity())
		return;
	const fields = new FormData(form);
	const request = {
		prompt: fields.get("prompt"),
		aspect_ratio: fields.get("aspect_ratio"),
		publish: fields.has("publish"),
	};
	submission = { type: fields.get("type"), request, key: crypto.randomUUID() };
	submit(submission);
});

/* A video is wide or high. */
form.addEventListener("change", () => {
	const isVideo = form.elements.type.value === "video";
	const shapes = [...form.elements.aspect_ratio];
	for (const shape of shapes)
		shape.disabled = isVideo && !["16:9", "9:16"].includes(shape.value);
	if (shapes.find((shape) => shape.checked).disabled)
		form.elements.aspect_ratio.value = "16:9";
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
