// MinIO's client for JavaScript: signs chunks, parts, links in its own way.
import assert from "node:assert";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import * as Minio from "minio";

const [endpoint, bucket] = process.argv.slice(2);
const url = new URL(endpoint);
const client = new Minio.Client({ endPoint: url.hostname, port: Number(url.port), useSSL: true, region: "us-east-1",
	accessKey: process.env.AWS_ACCESS_KEY_ID, secretKey: process.env.AWS_SECRET_ACCESS_KEY, partSize: 5 * 1024 * 1024 });
const collect = async (stream) => { const all = []; for await (const piece of stream) all.push(piece); return Buffer.concat(all); };

assert.equal(await client.bucketExists(bucket), true);
assert.equal(await client.bucketExists(bucket + "-not"), false);
await client.putObject(bucket, "small", "hello", 5, { "x-amz-meta-a": "b" });
assert.equal((await client.statObject(bucket, "small")).metaData.a, "b");
const large = randomBytes(12 * 1024 * 1024 + 3);
await client.putObject(bucket, "large", Readable.from([large.subarray(0, 1000), large.subarray(1000)]), large.length);
const back = await collect(await client.getObject(bucket, "large"));
assert.equal(createHash("sha256").update(back).digest("hex"), createHash("sha256").update(large).digest("hex"));
assert.deepEqual(await collect(await client.getPartialObject(bucket, "large", 5242879, 3)), large.subarray(5242879, 5242882));
const names = [];
for await (const o of client.listObjectsV2(bucket, "", true)) names.push(o.name);
assert.deepEqual(names, ["large", "small"]);
assert.equal(await (await fetch(await client.presignedGetObject(bucket, "small", 60))).text(), "hello");
await client.removeObjects(bucket, ["small", "large"]);
await assert.rejects(client.statObject(bucket, "small"));
console.log("ok");
