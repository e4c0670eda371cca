/* What is shown beside the making of creations: everybody's, one's own, and somebody's.
 *
 * The address says which: "#" explore, "#mine" one's own, "#@name" somebody's, "#img_..." or
 * "#vid_..." one creation. */
import * as api from "./api.js";
import { makeList } from "./list.js";

const el = (id) => document.getElementById(id);

let account; /* where somebody is signed in */
const me = () => account;

const explore = makeList(el("explore"), { me, nothing: "Nothing is published yet." });
const drafts = makeList(el("drafts"), { me, tools: true,
	nothing: "Nothing. What you keep back, what is being made and what failed is here." });
const published = makeList(el("published"), { me, tools: true, nothing: "Nothing yet." });
const one = makeList(el("creation-list"), { me, tools: true, whole: true, nothing: "" });
const theirs = makeList(el("profile-list"), { me, nothing: "Nothing is published yet." });

/* ---- Everybody's -------------------------------------------------------------------------- */

const kind = () => document.querySelector("input[name=kind]:checked").value;
const showExplore = () => explore.show(api.lists.explore(kind()));

for (const input of document.querySelectorAll("input[name=kind]"))
	input.addEventListener("change", showExplore);

/* What was just made is shown before the next page has it. */
document.addEventListener("creation", ({ detail }) => {
	if (!detail.published)
		return;
	published.add(detail);
	if (["all", `${detail.type}s`].includes(kind()))
		explore.add(detail);
});

/* ---- One's own ---------------------------------------------------------------------------- */

/* Where it cannot be asked, it is as it was. */
async function readAccount() {
	let why = "Nobody is signed in";
	try {
		account = await api.account();
	} catch (problem) {
		if (problem.status === 401)
			account = undefined;
		else
			why = problem.message;
	}
	el("account-name").textContent = account ? account.username ?? "No name yet" : why;
	el("account-tokens").textContent = account ? `${account.tokens} tokens` : "";
	el("rename").hidden = !account;
	if (document.activeElement !== el("username")) /* nobody is writing in it */
		el("username").value = account?.username ?? "";
}

async function showMine() {
	await readAccount();
	if (el("mine").hidden)
		return;
	drafts.show(api.lists.drafts);
	published.show(api.lists.published);
}

el("rename").addEventListener("submit", async (event) => {
	event.preventDefault();
	const button = event.target.querySelector("button");
	button.disabled = true;
	try {
		await api.rename(el("username").value.trim());
		await showMine();
		el("rename-said").textContent = "This is your name now.";
	} catch (problem) {
		el("rename-said").textContent = problem.message;
	} finally {
		button.disabled = false;
	}
});

/* ---- Somebody's --------------------------------------------------------------------------- */

async function showProfile(name) {
	el("profile-name").textContent = name;
	theirs.clear();
	try {
		el("profile-name").textContent = (await api.profile(name)).username;
		theirs.show(api.lists.of(name));
	} catch (problem) {
		el("profile-name").textContent = problem.status === 404 ? "There is nobody of this name"
			: problem.message;
	}
}

/* ---- One ---------------------------------------------------------------------------------- */

const showOne = (id) => one.show(api.lists.only(id));

/* ---- Which -------------------------------------------------------------------------------- */

const TITLES = { mine: "Yours", profile: "Profile", creation: "Creation" };

function viewOf(address) {
	if (/^(img|vid)_/.test(address))
		return "creation";
	return address === "mine" ? "mine" : address.startsWith("@") ? "profile" : "home";
}

function show() {
	const address = location.hash.slice(1);
	const view = viewOf(address);

	drafts.clear(); /* nobody follows what is not seen */
	one.clear();
	document.title = TITLES[view] ? `${TITLES[view]} · Phoenix` : "Phoenix";
	for (const main of document.querySelectorAll("main"))
		main.hidden = main.id !== view;
	for (const link of document.querySelectorAll("nav a"))
		link.ariaCurrent = link.dataset.view === view ? "page" : null;
	if (view === "home")
		showExplore();
	else if (view === "mine")
		showMine();
	else if (view === "creation")
		showOne(address);
	else
		showProfile(decodeURIComponent(address.slice(1)));
	return view;
}

/* A reader of screens is told of another view by its title. */
window.addEventListener("hashchange", () => {
	el(show()).querySelector("h1[tabindex]")?.focus();
});

await readAccount();
show();
