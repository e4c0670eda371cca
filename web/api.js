/* The API, as everything but the making of creations uses it. */

import { ask } from "./ask.js";

const send = (method, path, body) => ask(path, {
	method,
	headers: body ? { "Content-Type": "application/json" } : {},
	body: body && JSON.stringify(body),
});

const creation = (id) => `/api/creations/${encodeURIComponent(id)}`;
const user = (name) => `/api/users/${encodeURIComponent(name)}`;

/* What reads a list, a page `{creations, next_cursor}` at a time; the first without a cursor. */
const pages = (path, query = {}) => (cursor) =>
	send("GET", `${path}?${new URLSearchParams(cursor ? { ...query, cursor } : query)}`);

export const account = () => send("GET", "/api/me");
export const rename = (username) => send("PUT", "/api/me/username", { username });
export const profile = (name) => send("GET", user(name));
export const like = (id, liked) => send(liked ? "PUT" : "DELETE", `${creation(id)}/like`);
export const publish = (id) => send("PUT", `${creation(id)}/publish`);
export const remove = (id) => send("DELETE", creation(id));

/* Of a video that failed it is asked why. */
async function one(id) {
	const found = await send("GET", creation(id));
	return found.status === "failed" ? send("GET", `/api/video/${id}`) : found;
}

export const lists = {
	explore: (type) => pages("/api/feed", { type }),
	drafts: pages("/api/me/drafts"),
	published: pages("/api/me/creations"),
	of: (name) => pages(`${user(name)}/creations`),
	only: (id) => async () => ({ creations: [await one(id)] }),
};
