/* Asks for a picture or a video until it is there. */

import { ask, Problem } from "./ask.js";

const RETRIES = { attempts: 6, firstMs: 1000, mostMs: 20_000 };
export const PATIENCE_MS = 60_000;
export const WORTH_REPEATING = new Set([409, 429, 503]); /* 409: the first request is still at work */
const LOOK_MS = 1000;
const GLANCE_MS = 3000; /* at what nobody waits for */

/* ---- Asking ------------------------------------------------------------------------------- */

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
	return helps && attempt < RETRIES.attempts && ms <= PATIENCE_MS ? ms : undefined;
}

/* `say` is told the present state in words, and the percentage done where it is known. */
async function insist(path, options, state, say) {
	for (let attempt = 1; ; attempt++) {
		say(state);
		try {
			return await ask(path, options);
		} catch (problem) {
			const ms = problem instanceof Problem ? waitBefore(attempt, problem) : undefined;
			if (ms === undefined)
				throw problem;
			say(problem.status === 0 ? "No connection, trying again"
				: "Server busy, trying again");
			await sleep(ms, options.signal);
		}
	}
}

/* All attempts carry one key, so that the server makes, and charges for, one. */
const order = (request, key, signal) => ({
	method: "POST",
	headers: { "Content-Type": "application/json", "Idempotency-Key": key },
	body: JSON.stringify(request),
	signal,
});

/* ---- Making ------------------------------------------------------------------------------- */

function makePicture(request, key, signal, say) {
	return insist("/api/image/generate", order(request, key, signal), "Painting", say);
}

const pathOf = ({ id }) => `/api/video/${id}`;

export const cancel = (video) => ask(pathOf(video), { method: "DELETE" });

function stateOf({ status, position }) {
	if (status === "running")
		return "Filming";
	return position ? `Waiting, place ${position}` : "Waiting";
}

/* A video takes minutes, so it is asked about until it has an end. */
async function watch(video, signal, say, everyMs) {
	for (;;) {
		if (video.status === "succeeded")
			return video;
		if (video.status === "failed" || video.status === "canceled")
			throw new Problem(422, { detail: video.reason ?? "The video was canceled." });
		say(stateOf(video), video.progress);
		await sleep(everyMs, signal);
		video = await ask(pathOf(video), { signal }).catch((problem) => {
			signal.throwIfAborted();
			if (problem.status !== 0 && problem.status < 500)
				throw problem;
			return video;
		});
	}
}

/* Whoever gives up cancels it. */
async function makeVideo(request, key, signal, say) {
	const video = await insist(
		"/api/video/generate", order(request, key, signal), "Waiting", say);
	try {
		return await watch(video, signal, say, LOOK_MS);
	} catch (problem) {
		if (signal.aborted)
			cancel(video).catch(() => {});
		throw problem;
	}
}

/* One that was asked for earlier, or elsewhere. */
export const follow = (video, signal, say) => watch(video, signal, say, GLANCE_MS);

export const make = { image: makePicture, video: makeVideo };
