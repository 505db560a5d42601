// RFC 6962 proofs of inclusion, checked here and not believed. Formats: C2SP tlog-proof, tlog-checkpoint, signed-note
// (doc/ledger.md). Written to be read: each hash that is computed is kept as a step that the page can show.

export interface Step { side: "left" | "right"; sibling: string; result: string }
export interface Checkpoint { origin: string; size: number; root: Uint8Array<ArrayBuffer>; body: string; signatures: { name: string; keyId: string; signature: Uint8Array<ArrayBuffer> }[] }
export interface Verified { index: number; leaf: string; steps: Step[]; root: string; checkpoint: Checkpoint }
export type Signed = "yes" | "no" | "other-key" | "cannot";

export class Wrong extends Error {}

export const hex = (b: Uint8Array): string => Array.from(b, x => x.toString(16).padStart(2, "0")).join("");

export function base64(text: string): Uint8Array<ArrayBuffer> {
	if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) throw new Wrong("This is no base64.");
	return Uint8Array.from(atob(text), c => c.charCodeAt(0));
}

function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
	const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
	parts.reduce((at, p) => (all.set(p, at), at + p.length), 0);
	return all;
}

export const sha256 = async (data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> => new Uint8Array(await crypto.subtle.digest("SHA-256", data));
export const leafHash = (entry: Uint8Array): Promise<Uint8Array<ArrayBuffer>> => sha256(join(Uint8Array.of(0), entry));
export const nodeHash = (left: Uint8Array, right: Uint8Array): Promise<Uint8Array<ArrayBuffer>> => sha256(join(Uint8Array.of(1), left, right));

const decimal = (text: string | undefined): number => {
	if (text === undefined || !/^(0|[1-9][0-9]{0,15})$/.test(text)) throw new Wrong("A number is missing.");
	return Number(text);
};

export function parseCheckpoint(text: string): Checkpoint {
	const at = text.lastIndexOf("\n\n");
	if (at < 0) throw new Wrong("This is no signed checkpoint.");
	const body = text.slice(0, at + 1);
	const [origin, size, root] = body.split("\n");
	const rootHash = base64(root ?? "");
	if (!origin || rootHash.length !== 32) throw new Wrong("The checkpoint has no root.");
	const signatures = text.slice(at + 2).split("\n").filter(line => line !== "").map(line => {
		const [mark, name, data] = line.split(" ");
		if (mark !== "—" || !name || !data) throw new Wrong("A signature line is not one.");
		const raw = base64(data);
		return { name, keyId: hex(raw.slice(0, 4)), signature: raw.slice(4) };
	});
	return { origin, size: decimal(size), root: rootHash, body, signatures };
}

/** RFC 9162, section 2.1.3.2, step by step */
export async function verifyInclusion(entry: Uint8Array, index: number, siblings: Uint8Array<ArrayBuffer>[], checkpoint: Checkpoint): Promise<Verified> {
	if (index >= checkpoint.size) throw new Wrong("The record lies behind the checkpoint.");
	const leaf = await leafHash(entry);
	const steps: Step[] = [];
	let h = leaf;
	let fn = BigInt(index);
	let sn = BigInt(checkpoint.size) - 1n;
	for (const sibling of siblings) {
		if (sn === 0n || sibling.length !== 32) throw new Wrong("The proof has another length.");
		const left = (fn & 1n) === 1n || fn === sn;
		h = left ? await nodeHash(sibling, h) : await nodeHash(h, sibling);
		if (left) while ((fn & 1n) === 0n && fn !== 0n) { fn >>= 1n; sn >>= 1n; }
		fn >>= 1n;
		sn >>= 1n;
		steps.push({ side: left ? "left" : "right", sibling: hex(sibling), result: hex(h) });
	}
	if (sn !== 0n || hex(h) !== hex(checkpoint.root)) throw new Wrong("The hashes do not lead to the signed root.");
	return { index, leaf: hex(leaf), steps, root: hex(h), checkpoint };
}

/** a whole .tlog-proof file for the record's exact bytes */
export async function verifyProof(proof: string, record: string): Promise<Verified> {
	const at = proof.indexOf("\n\n");
	const lines = proof.slice(0, Math.max(at, 0)).split("\n");
	if (at < 0 || lines.shift() !== "c2sp.org/tlog-proof@v1") throw new Wrong("This is no proof.");
	if (lines[0]?.startsWith("extra ")) lines.shift();
	const index = decimal(lines.shift()?.replace(/^index /, ""));
	return verifyInclusion(new TextEncoder().encode(record), index, lines.map(base64), parseCheckpoint(proof.slice(at + 2)));
}

/** does a verifier key (signed-note, Ed25519) fit the checkpoint? */
export async function verifySignature(checkpoint: Checkpoint, vkey: string): Promise<Signed> {
	const [name, keyId, ...rest] = vkey.trim().split("+");
	const raw = base64(rest.join("+"));
	if (!name || !keyId || raw.length !== 33 || raw[0] !== 1) throw new Wrong("This is no verifier key for Ed25519.");
	const id = await sha256(join(new TextEncoder().encode(`${name}\n`), raw));
	if (hex(id.slice(0, 4)) !== keyId) throw new Wrong("The verifier key's id is not its own: it was copied wrongly.");
	const mine = checkpoint.signatures.find(s => s.name === name && s.keyId === keyId);
	if (!mine || checkpoint.origin !== name) return "other-key";
	try {
		const key = await crypto.subtle.importKey("raw", raw.slice(1), "Ed25519", false, ["verify"]);
		return await crypto.subtle.verify("Ed25519", key, mine.signature, new TextEncoder().encode(checkpoint.body)) ? "yes" : "no";
	} catch {
		return "cannot"; // a browser without Ed25519
	}
}
