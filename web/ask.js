/* One request to the API. */

import { authorized } from "./session.js";

/* What the server says went wrong (RFC 9457), or that it could not be asked. */
export class Problem extends Error {
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

/* The answer's JSON, or nothing where it has none. */
export async function ask(path, options = {}) {
	let response;
	try {
		response = await fetch(path, authorized(options));
	} catch {
		options.signal?.throwIfAborted();
		throw new Problem(0, { detail: "The server cannot be reached. Is the connection up?" });
	}
	if (!response.ok)
		throw new Problem(response.status, await response.json().catch(() => ({})),
			retryAfterMs(response));
	return response.status === 204 ? undefined : response.json();
}
