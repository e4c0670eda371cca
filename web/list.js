/* A list of creations: cards that are liked, published and deleted where they stand. */
import * as api from "./api.js";

const clone = (id) => document.getElementById(id).content.cloneNode(true);

const STATES = {
	queued: "Waiting",
	running: "Being made",
	failed: "Failed",
	canceled: "Canceled",
};

/* ---- A card ------------------------------------------------------------------------------- */

function media(creation) {
	if (!creation.url)
		return STATES[creation.status] ?? "";
	const element = document.createElement(creation.type === "video" ? "video" : "img");
	Object.assign(element, { width: creation.width, height: creation.height });
	if (creation.type === "video")
		Object.assign(element, { controls: true, loop: true, playsInline: true, preload: "metadata",
			src: creation.url, title: creation.prompt });
	else
		Object.assign(element, { loading: "lazy", decoding: "async", alt: creation.prompt,
			src: creation.url });
	return element;
}

function showLikes(button, { likes, liked }) {
	button.setAttribute("aria-pressed", liked);
	button.setAttribute("aria-label", likes === 1 ? "Like, 1 like" : `Like, ${likes} likes`);
	button.querySelector(".likes").textContent = likes;
}

/* At once, and taken back where the server does not agree. */
async function toggleLike(button, creation, say) {
	const before = { likes: creation.likes, liked: creation.liked };
	creation.liked = !before.liked;
	creation.likes += creation.liked ? 1 : -1;
	showLikes(button, creation);
	button.disabled = true;
	try {
		await api.like(creation.id, creation.liked);
	} catch (problem) {
		Object.assign(creation, before);
		showLikes(button, creation);
		say(problem.message);
	} finally {
		button.disabled = false;
		button.focus();
	}
}

/* For what takes the card off the list. */
async function takeOff(card, button, act, done, say) {
	button.disabled = true;
	try {
		await act();
		const next = card.nextElementSibling ?? card.previousElementSibling;
		card.remove();
		next?.querySelector("button:not([hidden])")?.focus();
		say(done);
	} catch (problem) {
		button.disabled = false;
		say(problem.message);
	}
}

/* `tools`: what its owner can do with it is offered. */
function makeCard(creation, { me, say, tools }) {
	const fragment = clone("creation");
	const card = fragment.querySelector("li");
	const part = (name) => card.querySelector(`.${name}`);
	const isMine = creation.owner.id === me()?.id;
	const isMade = creation.status === "succeeded";

	part("media").append(media(creation));
	part("prompt").textContent = creation.prompt;
	part("owner").textContent = creation.owner.username ?? (isMine ? "You" : "Somebody");
	if (creation.owner.username)
		part("owner").href = `#@${encodeURIComponent(creation.owner.username)}`;

	const like = part("like");
	showLikes(like, creation);
	like.hidden = !isMade || !creation.published;
	like.addEventListener("click", () => toggleLike(like, creation, say));

	const publish = part("publish");
	publish.hidden = !tools || !isMine || !isMade || creation.published;
	publish.addEventListener("click", () =>
		takeOff(card, publish, () => api.publish(creation.id), "Published.", say));

	const remove = part("delete");
	remove.hidden = !tools || !isMine || ["queued", "running"].includes(creation.status);
	remove.addEventListener("click", () => {
		if (confirm("Delete this for good?"))
			takeOff(card, remove, () => api.remove(creation.id), "Deleted.", say);
	});
	return card;
}

/* ---- A list ------------------------------------------------------------------------------- */

/* Fills a section: `show(path, query)` begins anew, `add(creation)` puts one in front, `clear()`
 * leaves none. `me` tells who looks at it, `nothing` is said of an empty one. */
export function makeList(section, { me, nothing, tools = false }) {
	section.append(clone("list"));
	const cards = section.querySelector(".cards");
	const said = section.querySelector("[role=status]");
	const more = section.querySelector(".more");
	const say = (text) => { said.textContent = text; };
	const card = (creation) => makeCard(creation, { me, say, tools });
	let wanted; /* whose answer is still of use */
	let source;

	async function load(cursor) {
		const mine = wanted = {};
		more.disabled = true;
		try {
			const page = await api.page(source.path, cursor ? { ...source.query, cursor } : source.query);
			if (mine !== wanted)
				return;
			if (!cursor)
				cards.replaceChildren();
			const first = cards.children.length;
			cards.append(...page.creations.map(card));
			if (cursor)
				cards.children[first]?.querySelector("a[href], button:not([hidden])")?.focus();
			more.hidden = !page.next_cursor;
			more.onclick = () => load(page.next_cursor);
			say(cards.children.length ? "" : nothing);
		} catch (problem) {
			if (mine === wanted)
				say(problem.message);
		} finally {
			if (mine === wanted)
				more.disabled = false;
		}
	}

	return {
		show(path, query = {}) {
			source = { path, query };
			return load();
		},
		clear() {
			wanted = undefined;
			cards.replaceChildren();
			more.hidden = true;
			say("");
		},
		add(creation) {
			cards.prepend(card(creation));
			say("");
		},
	};
}
