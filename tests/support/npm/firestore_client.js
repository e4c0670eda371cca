// node firestore_client.js PROJECT read|write: Google's own client library for Firestore, on the
// emulator at FIRESTORE_EMULATOR_HOST. `read` prints, as one line of JSON, the document things/ours
// and the ids of the boxes among the things, the highest rank first; `write` makes things/theirs.
process.env.METADATA_SERVER_DETECTION = "none"; // an emulator asks for no account

const { FieldValue, Firestore, Timestamp } = require("@google-cloud/firestore");

const [projectId, verb] = process.argv.slice(2);
const firestore = new Firestore({ projectId });
const things = firestore.collection("things");

const verbs = {
	async read() {
		const ours = await things.doc("ours").get();
		const boxes = await things.where("kind", "==", "box").orderBy("rank", "desc").get();
		const found = boxes.docs.map((box) => box.id);
		console.log(JSON.stringify({ ours: ours.data(), found }));
	},

	async write() {
		await things.doc("theirs").set({
			text: "schön 🦊",
			most: Number.MAX_SAFE_INTEGER,
			real: 1.5,
			sum: FieldValue.increment(3),
			yes: true,
			nothing: null,
			list: [1, "two", { three: 3 }],
			map: { b: 1, a: {} },
			time: Timestamp.fromMillis(1795498618123),
			bytes: Buffer.from([0, 255]),
		});
	},
};

verbs[verb]().then(() => firestore.terminate());
