// node film.js FILE WIDTH HEIGHT SECONDS: plays the film in a real Chromium to its end; exits 0 where
// it went as it should.
const assert = require("node:assert/strict");
const { readFileSync } = require("node:fs");
const { chromium } = require("playwright-core");

async function play(page, film) {
	await page.setContent("<video muted></video>");
	return page.evaluate(async (source) => {
		const video = document.querySelector("video");
		const ended = new Promise((resolve, reject) => {
			video.onended = resolve;
			video.onerror = () => reject(new Error(video.error.message));
		});
		video.src = source;
		video.playbackRate = 4;
		await video.play();
		await ended;
		return { width: video.videoWidth, height: video.videoHeight, seconds: video.currentTime,
			state: video.readyState, pictures: video.getVideoPlaybackQuality().totalVideoFrames };
	}, `data:video/mp4;base64,${film.toString("base64")}`);
}

(async () => {
	const [file, width, height, seconds] = process.argv.slice(2);
	const browser = await chromium.launch({ executablePath: "/usr/bin/chromium",
		args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"] });
	try {
		const seen = await play(await browser.newPage(), readFileSync(file));
		assert.equal(seen.width, Number(width));
		assert.equal(seen.height, Number(height));
		assert.ok(Math.abs(seen.seconds - Number(seconds)) < 0.1, `${seen.seconds} s`);
		assert.ok(seen.state >= 2 && seen.pictures > 0);
	} finally {
		await browser.close();
	}
})().catch((error) => {
	console.error(error);
	process.exitCode = 1;
});
