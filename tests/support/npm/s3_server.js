// node s3_server.js FOLDER BUCKET: serves S3 from a folder on a free port of 127.0.0.1, and prints
// the port once it listens. Signatures must be made with the key pair S3RVER, S3RVER.
const S3rver = require("@20minutes/s3rver");

const [directory, bucket] = process.argv.slice(2);

new S3rver({
	address: "127.0.0.1",
	port: 0,
	directory,
	configureBuckets: [{ name: bucket }],
	vhostBuckets: false,
	silent: true,
})
	.run()
	.then(({ port }) => console.log(port));
