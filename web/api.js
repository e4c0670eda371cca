/* The API, as everything but the making of creations uses it. */

import { authorized } from "./session.js";

/* What the server says went wrong (RFC 9457), or that it could not be asked. */
export class Problem extends Error {
	constructor(status, { title, detail } = {}) {
		super(detail ?? title ?? "Something went wrong. Please try again.");
		this.status = status;
	}
}

async function ask(method, path, body) {
	let response;
	try {
		response = await fetch(path, authorized({
			method,
			headers: body ? { "Content-Type": "application/json" } : {},
			body: body && JSON.stringify(body),
		}));
	} catch {
		throw new Problem(0, { detail: "The server cannot be reached. Is the connection up?" });
	}
	const answer = response.status === 204 ? undefined : await response.json().catch(() => ({}));
	if (!response.ok)
		throw new Problem(response.status, answer);
	return answer;
}

const creation = (id) => `/api/creations/${encodeURIComponent(id)}`;
const user = (name) => `/api/users/${encodeURIComponent(name)}`;

/* A page of a list: `{creations, next_cursor}`. */
export const page = (path, query = {}) => ask("GET", `${path}?${new URLSearchParams(query)}`);

export const account = () => ask("GET", "/api/me");
export const rename = (username) => ask("PUT", "/api/me/username", { username });
export const profile = (name) => ask("GET", user(name));
export const like = (id, liked) => ask(liked ? "PUT" : "DELETE", `${creation(id)}/like`);
export const publish = (id) => ask("PUT", `${creation(id)}/publish`);
export const remove = (id) => ask("DELETE", creation(id));

export const lists = {
	explore: "/api/feed",
	drafts: "/api/me/drafts",
	of: (name) => `${user(name)}/creations`,
};
