// node page.js GROUP URL: does in a real Chromium what a person would do on the page at URL, one
// scenario of the group after the other; exits 0 where all went as they should.
const assert = require("node:assert/strict");
const { chromium } = require("playwright-core");

const API = "**/api/image/generate";

const pictures = {
	async "a sentence becomes a picture"(page) {
		await ask(page, "A red fox in the snow", "16:9");
		const picture = page.getByRole("figure").getByRole("img", { name: "A red fox in the snow" });
		await picture.waitFor();
		assert.ok(await picture.evaluate((img) => img.naturalWidth > img.naturalHeight));
		assert.ok(await page.getByRole("button", { name: "Create" }).isEnabled());
	},

	async "the next picture moves the last one to the gallery"(page) {
		for (const prompt of ["A red fox", "A paper boat"]) {
			await ask(page, prompt);
			await page.getByRole("figure").getByRole("img", { name: prompt }).waitFor();
		}
		const earlier = page.getByRole("region", { name: "Earlier in this visit" });
		await earlier.getByRole("img", { name: "A red fox" }).waitFor();
		assert.equal(await earlier.getByRole("img").count(), 1);
	},

	async "a refused prompt shows why"(page) {
		await ask(page, "A nude");
		await page.getByRole("alert").getByText("prohibited content").waitFor();
		assert.equal(await page.getByRole("figure").count(), 0);
	},

	async "a busy server is asked again with the same key"(page) {
		const keys = [];
		await page.route(API, (route) => {
			keys.push(route.request().headers()["idempotency-key"]);
			return keys.length > 1 ? route.continue() : route.fulfill({ status: 503,
				headers: { "Retry-After": "1" }, contentType: "application/problem+json",
				body: JSON.stringify({ title: "Service Unavailable", detail: "Busy." }) });
		});
		await ask(page, "A red fox");
		await page.getByText("Server busy, trying again").first().waitFor();
		await page.getByRole("figure").getByRole("img", { name: "A red fox" }).waitFor();
		assert.equal(keys.length, 2);
		assert.ok(keys[0]);
		assert.equal(keys[0], keys[1]);
	},

	async "a server that stays away is tried again by hand, with the same key"(page) {
		const keys = [];
		await page.route(API, (route) => {
			keys.push(route.request().headers()["idempotency-key"]);
			return keys.length > 1 ? route.continue() : route.fulfill({ status: 502,
				contentType: "application/problem+json",
				body: JSON.stringify({ title: "Bad Gateway", detail: "The model failed." }) });
		});
		await ask(page, "A red fox");
		await page.getByRole("alert").getByText("The model failed.").waitFor();
		await page.getByRole("button", { name: "Try again" }).click();
		await page.getByRole("figure").getByRole("img", { name: "A red fox" }).waitFor();
		assert.equal(keys.length, 2);
		assert.equal(keys[0], keys[1]);
	},

	async "a blank sentence is not sent"(page) {
		let sent = 0;
		page.on("request", (request) => { sent += request.url().endsWith("/api/image/generate"); });
		await ask(page, "   ");
		assert.ok(await page.getByLabel("What should it show?").evaluate(
			(prompt) => prompt.validity.valueMissing));
		assert.equal(sent, 0);
	},

	async "who has made as many as may be is not told to try again"(page) {
		await page.route(API, (route) => route.fulfill({ status: 429,
			headers: { "Retry-After": "3600" }, contentType: "application/problem+json",
			body: JSON.stringify({ detail: "you have made 10 within the last hour" }) }));
		await ask(page, "A red fox");
		await page.getByRole("alert").getByText("That is all for now").waitFor();
		await page.getByText(/^The next one can be made at \d+:\d\d/).waitFor();
		assert.equal(await page.getByRole("button", { name: "Try again" }).count(), 0);
	},

	async "a request can be canceled"(page) {
		await page.route(API, () => {}); /* never answered */
		await ask(page, "A red fox");
		await page.getByRole("button", { name: "Cancel" }).click();
		await page.getByRole("region", { name: "In progress" }).waitFor({ state: "hidden" });
		assert.ok(await page.getByRole("button", { name: "Create" }).isEnabled());
	},
};

const videos = {
	async "a sentence becomes a video"(page) {
		await page.getByText("Video", { exact: true }).click();
		assert.ok(await page.getByLabel("4:3").isDisabled());
		await ask(page, "A red fox in the snow", "9:16");
		await page.getByText("Filming").first().waitFor();
		await page.getByRole("progressbar").waitFor();
		const film = page.locator("video[aria-label='A red fox in the snow']");
		await film.waitFor();
		assert.ok(await film.evaluate((video) => video.videoHeight > video.videoWidth));
		await page.waitForFunction((video) => video.currentTime > 0, await film.elementHandle());
	},

	async "a video can be canceled"(page) {
		const canceled = page.waitForResponse((response) =>
			response.request().method() === "DELETE");
		await page.getByText("Video", { exact: true }).click();
		await ask(page, "A red fox in the snow");
		await page.getByText("Filming").first().waitFor();
		await page.getByRole("button", { name: "Cancel" }).click();
		assert.equal((await canceled).status(), 202);
		await page.getByRole("region", { name: "In progress" }).waitFor({ state: "hidden" });
	},
};

/* Those of a page that is gone. */
const found = {
	async "a video that is being made is found again, seen to its end, and shown"(page, url) {
		await page.getByText("Video", { exact: true }).click();
		await ask(page, "A slow boat");
		await page.getByText("Filming").first().waitFor();
		await page.goto(`${url}/#mine`);
		await page.reload();
		await card(page, "Published", "A slow boat").locator("video").waitFor();
		assert.equal(await card(page, "Seen by you alone", "A slow boat").count(), 0);
	},

	async "a video is canceled where it is found"(page, url) {
		const video = { id: "vid_1", type: "video", status: "running", progress: 40, url: null,
			prompt: "A slow raft", owner: { id: "user_dev", username: null }, likes: 0, liked: false };
		await page.route(/\/api\/me\/drafts/, (route) =>
			route.fulfill({ json: { creations: [video], next_cursor: null } }));
		await page.route("**/api/video/vid_1", (route) => {
			if (route.request().method() === "DELETE")
				video.status = "canceled";
			return route.fulfill({ json: video });
		});
		await page.goto(`${url}/#mine`);
		const draft = card(page, "Seen by you alone", "A slow raft");
		await draft.getByText("Filming, 40 %").waitFor();
		await draft.getByRole("button", { name: "Cancel" }).click();
		await draft.getByText("The video was canceled.").waitFor();
		await draft.getByRole("button", { name: "Delete" }).waitFor();
	},

	async "a video that failed says why, to who asks later as well"(page, url) {
		const answer = await page.request.post(`${url}/api/video/generate`,
			{ data: { prompt: "A nude" } });
		await page.goto(`${url}/#${(await answer.json()).id}`);
		for (const time of ["first", "later"]) {
			await card(page, "Creation", "A nude").getByText("Your tokens were given back").waitFor();
			await page.reload();
		}
	},
};

const published = {
	async "what is kept back is shown to nobody else"(page, url) {
		await page.getByLabel("Show it to everybody").uncheck();
		await ask(page, "A shy mole");
		await page.getByRole("figure").getByRole("img", { name: "A shy mole" }).waitFor();
		const { creations } = await (await page.request.get(`${url}/api/feed`)).json();
		assert.ok(!creations.some(({ prompt }) => prompt === "A shy mole"));
		await page.goto(`${url}/#mine`);
		await card(page, "Seen by you alone", "A shy mole")
			.getByRole("button", { name: "Publish" }).click();
		await card(page, "Published", "A shy mole").waitFor();
	},

	async "what is published without a name is among one's own"(page) {
		await ask(page, "A nameless newt");
		await page.getByRole("figure").getByRole("img").waitFor();
		await page.getByRole("link", { name: "Yours" }).click();
		const own = card(page, "Published", "A nameless newt");
		page.on("dialog", (dialog) => dialog.accept());
		await own.getByRole("button", { name: "Delete" }).click();
		await own.waitFor({ state: "detached" });
	},

	async "a creation has a page of its own, and the way back"(page, url) {
		await ask(page, `A heron${" in the reeds".repeat(20)}`, "16:9");
		await card(page, "Explore", "A heron").getByRole("link", { name: "A heron" }).click();
		const whole = card(page, "Creation", "A heron").getByRole("img");
		await whole.waitFor();
		assert.equal(await page.title(), "Creation · Phoenix");
		const { width, height } = await whole.boundingBox();
		assert.ok(width > 1.5 * height, "it is whole");
		const visitor = await page.context().newPage();
		await visitor.goto(page.url());
		await card(visitor, "Creation", "A heron").getByRole("link", { name: "Download" }).waitFor();
		await visitor.close();
		await page.goBack();
		await card(page, "Explore", "A heron").waitFor();
		await page.goto(`${url}/#img_00000000000000000000000000`);
		await page.getByText("there is no such creation").waitFor();
	},

	async "what is said is said to who has no keyboard, too"(page, url) {
		const context = await page.context().browser().newContext({ hasTouch: true, isMobile: true });
		try {
			const phone = await context.newPage();
			await phone.goto(url);
			await phone.getByText("Videos", { exact: true }).click();
			await region(phone, "Explore").getByText("Nothing is published yet.").waitFor();
			assert.ok(await phone.getByText("starts a new line").isHidden());
		} finally {
			await context.close();
		}
	},

	async "what is made is shown to everybody, and can be liked"(page) {
		await ask(page, "A hedgehog");
		const like = () => card(page, "Explore", "A hedgehog").getByRole("button", { name: /^Like/ });
		await clickLike(page, like());
		assert.equal(await like().getAttribute("aria-pressed"), "true");
		assert.equal(await like().getAttribute("aria-label"), "Like, 1 like");
		await page.getByText("Videos", { exact: true }).click();
		await region(page, "Explore").getByText("Nothing is published yet.").waitFor();
		await page.getByText("All", { exact: true }).click();
		await like().waitFor();
		assert.equal(await like().getAttribute("aria-pressed"), "true");
		await clickLike(page, like());
		assert.equal(await like().getAttribute("aria-pressed"), "false");
	},

	async "a like that is refused is taken back"(page) {
		await page.route("**/like", (route) => route.fulfill({ status: 503,
			contentType: "application/problem+json", body: JSON.stringify({ detail: "Busy." }) }));
		await ask(page, "A badger");
		const like = card(page, "Explore", "A badger").getByRole("button", { name: /^Like/ });
		await like.click();
		await region(page, "Explore").getByText("Busy.").waitFor();
		assert.equal(await like.getAttribute("aria-pressed"), "false");
		assert.equal(await like.getAttribute("aria-label"), "Like, 0 likes");
	},

	async "more is shown when it is asked for"(page) {
		const creation = (n) => ({ id: `img_${n}`, type: "image", status: "succeeded", url: null,
			prompt: `number ${n}`, owner: { id: "user_x", username: "ann" }, likes: n, liked: false,
			published: true });
		await page.route("**/api/feed?*", (route) => {
			const behind = new URL(route.request().url()).searchParams.get("cursor");
			return route.fulfill({ json: behind ? { creations: [creation(3)], next_cursor: null }
				: { creations: [creation(1), creation(2)], next_cursor: "c/1" } });
		});
		await page.reload();
		await page.getByRole("button", { name: "More" }).click();
		await card(page, "Explore", "number 3").waitFor();
		assert.equal(await region(page, "Explore").getByRole("article").count(), 3);
		assert.equal(await page.getByRole("button", { name: "More" }).count(), 0);
	},

	async "a draft is published, and deleted for good"(page, url) {
		const answer = await page.request.post(`${url}/api/image/generate`,
			{ data: { prompt: "A kept back owl", publish: false } });
		assert.equal(answer.status(), 201);
		const { url: picture } = await answer.json();

		await page.getByRole("link", { name: "Yours" }).click();
		const draft = card(page, "Seen by you alone", "A kept back owl");
		await draft.getByRole("button", { name: "Publish" }).click();
		await draft.waitFor({ state: "detached" });
		await page.getByRole("link", { name: "Explore" }).click();
		await card(page, "Explore", "A kept back owl").waitFor();

		const { creations } = await (await page.request.get(`${url}/api/feed`)).json();
		assert.equal((await page.request.get(picture)).status(), 200);
		assert.equal((await page.request.delete(`${url}/api/creations/${creations[0].id}`)).status(), 204);
		assert.equal((await page.request.get(picture)).status(), 404);
		await page.reload();
		await card(page, "Explore", "A kept back owl").waitFor({ state: "detached" });
	},

	async "what was kept back is deleted where it stands"(page, url) {
		await page.request.post(`${url}/api/image/generate`,
			{ data: { prompt: "A kept back bat", publish: false } });
		await page.goto(`${url}/#mine`);
		page.on("dialog", (dialog) => dialog.accept());
		const draft = card(page, "Seen by you alone", "A kept back bat");
		await draft.getByRole("button", { name: "Delete" }).click();
		await draft.waitFor({ state: "detached" });
		await page.getByText("Deleted.").waitFor();
		await page.reload();
		await page.getByText("What you keep back").waitFor();
	},

	async "a name is taken, and leads to what was published under it"(page, url) {
		await ask(page, "An otter");
		await card(page, "Explore", "An otter").waitFor();
		await page.getByRole("link", { name: "Yours" }).click();
		await page.getByLabel("Name that others see").fill("x");
		await page.getByRole("button", { name: "Take this name" }).click();
		await page.getByText("3 to 30 letters").waitFor();
		await page.getByLabel("Name that others see").fill("Otto");
		await page.getByRole("button", { name: "Take this name" }).click();
		await page.getByText("This is your name now.").waitFor();
		await card(page, "Published", "An otter").waitFor();
		await page.getByRole("link", { name: "Explore" }).click();
		await card(page, "Explore", "An otter").getByRole("link", { name: "Otto" }).click();
		await page.getByRole("heading", { name: "Otto" }).waitFor();
		await card(page, "Creations", "An otter").waitFor();
		await page.goto(`${url}/#@nobody_of_this_name`);
		await page.getByRole("heading", { name: "There is nobody of this name" }).waitFor();
	},
};

const people = {
	async "who signs in makes pictures of their own, until they sign out"(page, url) {
		await page.getByLabel("Sign in as").fill("ada");
		await page.getByRole("button", { name: "Sign in" }).click();
		await page.getByText("ada", { exact: true }).waitFor();
		await page.request.post(`${url}/api/image/generate`,
			{ data: { prompt: "A guest's kept back owl", publish: false } });
		await page.goto(`${url}/#mine`);
		await page.reload();
		await page.getByText("What you keep back").waitFor();
		assert.equal(await page.getByText("A guest's kept back owl").count(), 0);

		await page.goto(`${url}/#`);
		const [asked] = await Promise.all([
			page.waitForRequest(API),
			ask(page, "A red fox"),
		]);
		assert.match(asked.headers().authorization, /^Bearer ey/);
		await page.getByRole("figure").getByRole("img", { name: "A red fox" }).waitFor();

		await page.getByRole("button", { name: "Sign out" }).click();
		await page.getByLabel("Sign in as").waitFor();
		await page.goto(`${url}/#mine`);
		await card(page, "Seen by you alone", "A guest's kept back owl").waitFor();
		assert.equal(await page.evaluate(() => sessionStorage.length + localStorage.length), 0);
	},

	async "who cannot be asked for is not said to be nobody"(page, url) {
		await page.route("**/api/me", (route) => route.abort());
		await page.goto(`${url}/#mine`);
		await page.reload();
		await region(page, "Account").getByText("The server cannot be reached").waitFor();
	},

	async "a name that the issuer does not give is not sent"(page) {
		await page.getByLabel("Sign in as").fill("Ada Lovelace");
		await page.getByRole("button", { name: "Sign in" }).click();
		assert.ok(await page.getByLabel("Sign in as").evaluate((name) => !name.validity.valid));
		assert.equal(await page.evaluate(() => sessionStorage.length), 0);
	},
};

const region = (page, name) => page.getByRole("region", { name });

const card = (page, list, prompt) =>
	region(page, list).getByRole("article").filter({ hasText: prompt });

/* Until the server has said that it is so. */
const clickLike = (page, button) => Promise.all([
	page.waitForResponse((response) => response.url().endsWith("/like") && response.ok()),
	button.click(),
]);

async function ask(page, prompt, shape) {
	await page.getByLabel("What should it show?").fill(prompt);
	if (shape)
		await page.getByText(shape, { exact: true }).click();
	await page.keyboard.press("Enter");
}

const groups = { pictures, videos, found, published, people };

/* Each in a browser's window of its own. */
async function play(browser, scenario, url) {
	const context = await browser.newContext();
	try {
		const page = await context.newPage();
		page.setDefaultTimeout(20_000);
		const complaints = [];
		page.on("pageerror", (error) => complaints.push(error.message));
		page.on("console", (message) => {
			if (/Content Security Policy/i.test(message.text()))
				complaints.push(message.text());
		});
		await page.goto(url);
		await scenario(page, url);
		assert.deepEqual(complaints, []);
	} finally {
		await context.close();
	}
}

async function main(group, url) {
	const browser = await chromium.launch({
		executablePath: "/usr/bin/chromium",
		args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
			"--disable-component-update", "--disable-sync"],
	});
	try {
		for (const [name, scenario] of Object.entries(groups[group]))
			await play(browser, scenario, url).catch((error) => {
				console.error(`${name}:`, error);
				process.exitCode = 1;
			});
	} finally {
		await browser.close();
	}
}

main(...process.argv.slice(2)).catch((error) => {
	console.error(error);
	process.exitCode = 1;
});
