// The same on BullMQ: node bullmq.mjs enqueue FIRST COUNT | work COUNT WORKERS | latency COUNT.
import { createRequire } from 'node:module';

const { Queue, Worker } = createRequire(`${process.env.BENCH_NPM}/`)('bullmq');

const NAME = 'bench';
const LATENCY_FIRST = 1000000000;
const PAYLOAD = 'x'.repeat(400);
const url = new URL(process.env.REDIS_URL);
const connection = { host: url.hostname, port: Number(url.port), maxRetriesPerRequest: null };
const defaultJobOptions = { removeOnComplete: true };

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const seconds = (since) => (performance.now() - since) / 1000;

async function opened() {
	const queue = new Queue(NAME, { connection, defaultJobOptions });
	await queue.waitUntilReady();
	return queue;
}

function add(queue, number) {
	return queue.add('job', { payload: PAYLOAD }, { jobId: `vid_${number}` });
}

async function enqueue(first, count) {
	const queue = await opened();
	const begun = performance.now();
	for (let i = 0; i < count; i++) await add(queue, first + i);
	console.log(Math.round(count / seconds(begun)));
	await queue.close();
}

// From the first job's start to the last one's end; starting up is not measured.
async function work(count, concurrency) {
	let begun = 0;
	let done = 0;
	await new Promise((finished) => {
		const worker = new Worker(
			NAME,
			async () => {
				begun ||= performance.now();
			},
			{ connection, concurrency },
		);
		worker.on('completed', async () => {
			if (++done < count) return;
			console.log(Math.round(count / seconds(begun)));
			await worker.close();
			finished();
		});
	});
}

async function latency(count) {
	const queue = await opened();
	const sent = new Map();
	const waits = [];
	const worker = new Worker(
		NAME,
		async (job) => {
			waits.push(performance.now() - sent.get(job.id));
		},
		{ connection },
	);
	await worker.waitUntilReady();
	for (let i = 0; i < count; i++) {
		await pause(4);
		sent.set(`vid_${LATENCY_FIRST + i}`, performance.now());
		await add(queue, LATENCY_FIRST + i);
	}
	while (waits.length < count) await pause(1);
	for (const wait of waits) console.log(Math.round(wait * 1000));
	await worker.close();
	await queue.close();
}

const [verb, ...numbers] = process.argv.slice(2);
await { enqueue, work, latency }[verb](...numbers.map(Number));
process.exit(0);
