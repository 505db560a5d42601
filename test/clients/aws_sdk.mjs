// AWS SDK for JavaScript v3: streams, parts, pages, links.
import assert from "node:assert";
import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { CopyObjectCommand, DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const [endpoint, Bucket] = process.argv.slice(2);
const client = new S3Client({ endpoint, forcePathStyle: true, region: "us-east-1", maxAttempts: 1 });
const bytes = async (answer) => Buffer.from(await answer.Body.transformToByteArray());
const sha = (b) => createHash("sha256").update(b).digest("hex");

await client.send(new PutObjectCommand({ Bucket, Key: "a b/ü", Body: "hello", Metadata: { a: "b" }, ContentType: "text/plain" }));
const got = await client.send(new GetObjectCommand({ Bucket, Key: "a b/ü" }));
assert.equal(got.Metadata.a, "b");
assert.equal((await bytes(got)).toString(), "hello");

const large = randomBytes(12 * 1024 * 1024 + 3);
await new Upload({ client, params: { Bucket, Key: "large", Body: Readable.from([large.subarray(0, 7_000_000), large.subarray(7_000_000)]) }, partSize: 5 * 1024 * 1024 }).done();
assert.equal(sha(await bytes(await client.send(new GetObjectCommand({ Bucket, Key: "large" })))), sha(large));
assert.deepEqual(await bytes(await client.send(new GetObjectCommand({ Bucket, Key: "large", Range: "bytes=5242879-5242881" }))), large.subarray(5242879, 5242882));

await client.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/large` }));
assert.equal((await client.send(new HeadObjectCommand({ Bucket, Key: "copy" }))).ContentLength, large.length);

const link = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: "a b/ü" }), { expiresIn: 60 });
assert.equal(await (await fetch(link)).text(), "hello");

const listed = await client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 2 }));
assert.equal(listed.IsTruncated, true);
await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: ["a b/ü", "large", "copy"].map((Key) => ({ Key })) } }));
await assert.rejects(client.send(new GetObjectCommand({ Bucket, Key: "large" })), { name: "NoSuchKey" });
console.log("ok");
