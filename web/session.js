/* Who is signed in, in this tab.
 *
 * The token lies in sessionStorage: it outlives a reload and ends with the tab, no page of another
 * origin can read it, and the page's policy lets no script of others run here. One machine's issuer
 * gives a token to whoever says a name; where there is none the control does not show. */

const ISSUER = "/issuer";
const KEY = "session";

const el = (id) => document.getElementById(id);

/* ---- The token ---------------------------------------------------------------------------- */

function stored() {
	const session = JSON.parse(sessionStorage.getItem(KEY));
	return session?.until > Date.now() ? session : undefined;
}

/* The options of a fetch, with what tells the API who asks. */
export function authorized(options = {}) {
	const session = stored();
	const proof = session ? { Authorization: `Bearer ${session.token}` } : {};
	return { ...options, headers: { ...options.headers, ...proof } };
}

async function signIn(name) {
	const begun = Date.now();
	const response = await fetch(`${ISSUER}/token`, {
		method: "POST",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ name }),
	});
	const answer = await response.json();
	if (!response.ok)
		throw new Error(answer.detail);
	sessionStorage.setItem(KEY, JSON.stringify({ name, token: answer.access_token,
		until: begun + answer.expires_in * 1000 }));
}

/* ---- The control -------------------------------------------------------------------------- */

function show(session) {
	el("sign-in").hidden = Boolean(session);
	el("signed-in").hidden = !session;
	el("who").textContent = session?.name ?? "";
}

/* All that the page shows depends on who asks. */
const startAnew = () => location.reload();

el("sign-in").addEventListener("submit", async (event) => {
	event.preventDefault();
	const name = el("name");
	try {
		await signIn(name.value);
		startAnew();
	} catch (error) {
		name.setCustomValidity(error.message);
		name.reportValidity();
	}
});
el("name").addEventListener("input", () => el("name").setCustomValidity(""));

el("sign-out").addEventListener("click", () => {
	sessionStorage.removeItem(KEY);
	startAnew();
});

show(stored());
fetch(`${ISSUER}/.well-known/openid-configuration`)
	.then((issuer) => { el("session").hidden = !issuer.ok; }, () => {});
