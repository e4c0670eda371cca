/* The API, as everything but the making of creations uses it. */

import { ask } from "./ask.js";

const send = (method, path, body) => ask(path, {
	method,
	headers: body ? { "Content-Type": "application/json" } : {},
	body: body && JSON.stringify(body),
});

const creation = (id) => `/api/creations/${encodeURIComponent(id)}`;
const user = (name) => `/api/users/${encodeURIComponent(name)}`;

/* A page of a list: `{creations, next_cursor}`. */
export const page = (path, query = {}) => send("GET", `${path}?${new URLSearchParams(query)}`);

export const account = () => send("GET", "/api/me");
export const rename = (username) => send("PUT", "/api/me/username", { username });
export const profile = (name) => send("GET", user(name));
export const like = (id, liked) => send(liked ? "PUT" : "DELETE", `${creation(id)}/like`);
export const publish = (id) => send("PUT", `${creation(id)}/publish`);
export const remove = (id) => send("DELETE", creation(id));

export const lists = {
	explore: "/api/feed",
	drafts: "/api/me/drafts",
	of: (name) => `${user(name)}/creations`,
};
