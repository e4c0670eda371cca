/* A list of creations: cards that are liked, published, canceled and deleted where they stand. */
import * as api from "./api.js";
import { cancel, follow } from "./make.js";

const clone = (id) => document.getElementById(id).content.cloneNode(true);

const STATES = {
	queued: "Waiting",
	running: "Being made",
	failed: "Failed",
	canceled: "Canceled",
};

const isUnderWay = ({ status }) => ["queued", "running"].includes(status);

/* ---- A card ------------------------------------------------------------------------------- */

function media(creation) {
	if (!creation.url)
		return creation.reason ?? STATES[creation.status] ?? "";
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

function takeOff(card) {
	const next = card.nextElementSibling ?? card.previousElementSibling;
	card.remove();
	next?.querySelector("button:not([hidden])")?.focus();
}

/* The same creation, changed. */
function renew(card, creation, context) {
	const next = makeCard(creation, context);
	const hadFocus = card.contains(document.activeElement);
	card.replaceWith(next);
	if (hadFocus)
		next.querySelector("button:not([hidden]), a[href]")?.focus();
}

/* A video is looked at until it has an end. */
async function followVideo(card, creation, context) {
	const say = (text, percent) => {
		card.querySelector(".media").textContent =
			percent == null ? text : `${text}, ${percent} %`;
	};
	try {
		const made = await follow(creation, context.signal(), say);
		if (made.published && !context.whole)
			takeOff(card);
		else
			renew(card, made, context);
		document.dispatchEvent(new CustomEvent("creation", { detail: made }));
	} catch (problem) {
		if (problem.name !== "AbortError")
			renew(card, { ...creation, status: "failed", reason: problem.message }, context);
	}
}

/* `act` is false where somebody thinks better of it. */
function offer(button, act, done, say) {
	button.hidden = false;
	button.addEventListener("click", async () => {
		button.disabled = true;
		try {
			if (await act() !== false)
				return done();
		} catch (problem) {
			say(problem.message);
		}
		button.disabled = false;
	});
}

/* What its owner can do with it. */
function addTools(card, creation, context) {
	const { say, whole } = context;
	const part = (name) => card.querySelector(`.${name}`);

	if (isUnderWay(creation)) {
		offer(part("cancel"), () => cancel(creation), () => {}, say);
		followVideo(card, creation, context);
		return;
	}
	offer(part("delete"), () => confirm("Delete this for good?") && api.remove(creation.id), () => {
		takeOff(card);
		say("Deleted.");
	}, say);
	if (creation.status === "succeeded" && !creation.published)
		offer(part("publish"), () => api.publish(creation.id), () => {
			const now = { ...creation, published: true };
			if (whole)
				renew(card, now, context);
			else
				takeOff(card);
			document.dispatchEvent(new CustomEvent("creation", { detail: now }));
			say("Published.");
		}, say);
}

/* `tools`: what its owner can do with it is offered. `whole`: it is alone, with room for all. */
function makeCard(creation, context) {
	const { me, say, tools, whole } = context;
	const fragment = clone("card");
	const card = fragment.querySelector("li");
	const part = (name) => card.querySelector(`.${name}`);
	const isMine = creation.owner.id === me()?.id;
	const isMade = creation.status === "succeeded";

	card.dataset.id = creation.id;
	part("media").append(media(creation));
	Object.assign(part("page"), { textContent: creation.prompt, href: `#${creation.id}` });
	part("owner").textContent = creation.owner.username ?? (isMine ? "You" : "Somebody");
	if (creation.owner.username)
		part("owner").href = `#@${encodeURIComponent(creation.owner.username)}`;

	const like = part("like");
	showLikes(like, creation);
	like.hidden = !isMade || !creation.published;
	like.addEventListener("click", () => toggleLike(like, creation, say));

	if (whole && isMade)
		Object.assign(part("download"), { hidden: false, href: creation.url });
	if (tools && isMine)
		addTools(card, creation, context);
	return card;
}

/* ---- A list ------------------------------------------------------------------------------- */

/* Fills a section: `show(read)` begins anew with what reads a page after a cursor,
 * `add(creation)` puts one in front, `clear()` leaves none. `me` tells who looks at it, `nothing`
 * is said of an empty one. */
export function makeList(section, { me, nothing, tools = false, whole = false }) {
	section.append(clone("list"));
	const cards = section.querySelector(".cards");
	const said = section.querySelector("[role=status]");
	const more = section.querySelector(".more");
	const say = (text) => { said.textContent = text; };
	const card = (creation) =>
		makeCard(creation, { me, say, tools, whole, signal: () => following.signal });
	let wanted; /* whose answer is still of use */
	let following = new AbortController();
	let read;

	function empty() {
		following.abort();
		following = new AbortController();
		cards.replaceChildren();
	}

	async function load(cursor) {
		const mine = wanted = {};
		more.disabled = true;
		try {
			const page = await read(cursor);
			if (mine !== wanted)
				return;
			if (!cursor)
				empty();
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
		show(source) {
			read = source;
			return load();
		},
		clear() {
			wanted = undefined;
			empty();
			more.hidden = true;
			say("");
		},
		add(creation) {
			if (!cards.querySelector(`[data-id="${creation.id}"]`))
				cards.prepend(card(creation));
			say("");
		},
	};
}
