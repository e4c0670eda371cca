// node page.js SCENARIO URL: does in a real Chromium what a person would do on the page at URL;
// exits 0 where it went as it should.
const assert = require("node:assert/strict");
const { chromium } = require("playwright-core");

const API = "**/api/image/generate";

const scenarios = {
	async "a sentence becomes a picture"(page) {
		await ask(page, "A red fox in the snow", "16:9");
		const picture = page.getByRole("img", { name: "A red fox in the snow" });
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
		await page.getByRole("img", { name: "A red fox" }).waitFor();
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
		await page.getByRole("img", { name: "A red fox" }).waitFor();
		assert.equal(keys.length, 2);
		assert.equal(keys[0], keys[1]);
	},

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

	async "a request can be canceled"(page) {
		await page.route(API, () => {}); /* never answered */
		await ask(page, "A red fox");
		await page.getByRole("button", { name: "Cancel" }).click();
		await page.getByRole("region", { name: "In progress" }).waitFor({ state: "hidden" });
		assert.ok(await page.getByRole("button", { name: "Create" }).isEnabled());
	},
};

async function ask(page, prompt, shape) {
	await page.getByLabel("What should it show?").fill(prompt);
	if (shape)
		await page.getByText(shape, { exact: true }).click();
	await page.keyboard.press("Enter");
}

async function main(scenario, url) {
	const browser = await chromium.launch({
		executablePath: "/usr/bin/chromium",
		args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
			"--disable-component-update", "--disable-sync"],
	});
	try {
		const page = await browser.newPage();
		const complaints = [];
		page.on("pageerror", (error) => complaints.push(error.message));
		page.on("console", (message) => {
			if (/Content Security Policy/i.test(message.text()))
				complaints.push(message.text());
		});
		await page.goto(url);
		await scenarios[scenario](page);
		assert.deepEqual(complaints, []);
	} finally {
		await browser.close();
	}
}

main(...process.argv.slice(2)).catch((error) => {
	console.error(error);
	process.exitCode = 1;
});
