// node-hl7-client: sends over mutual TLS, one message after another, and waits for each acknowledgement.
import assert from "node:assert";
import { readFileSync } from "node:fs";
import { Client, Message } from "node-hl7-client";

const [port, ca, cert, key] = process.argv.slice(2);
const client = new Client({ host: "127.0.0.1", tls: { ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) } });
const codes = [];
let wake = () => {};
const connection = client.createConnection({ port: Number(port) }, (response) => {
	const message = response.getMessage();
	codes.push(`${message.get("MSA.1").toString()} ${message.get("MSA.2").toString()}`);
	wake();
});
const answered = (n) => new Promise((done) => { wake = () => codes.length >= n && done(); wake(); });

for (let i = 1; i <= 20; i++) {
	const message = new Message({ text: `MSH|^~\\&|NODE|HOSP|EHR|NORTH|20260102030405||ADT^A01^ADT_A01|N${i}|P|2.5.1\rEVN|A01|20260102\rPID|1||SYNTHETIC-${i}^^^HOSP^MR||DOE^SYNTHETIC` });
	await connection.sendMessage(message);
	await answered(i);
}
assert.deepEqual(codes, Array.from({ length: 20 }, (_, i) => `AA N${i + 1}`));
await connection.close();
client.closeAll();
console.log("ok");
process.exit(0);
