import { describe, expect, it } from "vitest";
import { base64, hex, leafHash, nodeHash, parseCheckpoint, sha256, verifyInclusion, verifyProof, verifySignature, Wrong, type Checkpoint } from "../src/merkle";

type Hash = Uint8Array<ArrayBuffer>;
const text = (s: string): Hash => new TextEncoder().encode(s);
const to64 = (b: Uint8Array): string => btoa(String.fromCharCode(...b));

// RFC 6962, section 2.1, as it is written there: the second way to the same numbers
async function root(leaves: Hash[]): Promise<Hash> {
	if (leaves.length === 1) return leaves[0]!;
	let k = 1;
	while (k * 2 < leaves.length) k *= 2;
	return nodeHash(await root(leaves.slice(0, k)), await root(leaves.slice(k)));
}
async function path(m: number, leaves: Hash[]): Promise<Hash[]> {
	if (leaves.length === 1) return [];
	let k = 1;
	while (k * 2 < leaves.length) k *= 2;
	return m < k ? [...await path(m, leaves.slice(0, k)), await root(leaves.slice(k))] : [...await path(m - k, leaves.slice(k)), await root(leaves.slice(0, k))];
}
const entry = (i: number): Hash => text(`{"n":${i}}`);
const leavesOf = (n: number): Promise<Hash[]> => Promise.all(Array.from({ length: n }, (_, i) => leafHash(entry(i))));
const head = (size: number, r: Hash): Checkpoint => ({ origin: "log", size, root: r, body: "", signatures: [] });

describe("hashes", () => {
	it("are those of RFC 6962", async () => {
		expect(hex(await leafHash(text("")))).toBe("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
		expect(hex(await sha256(text("")))).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	});
	it("refuse what is no base64", () => {
		for (const bad of ["a", "ab=", "a b=", "=aaa", "aaaa\n", "aa-_"]) expect(() => base64(bad)).toThrow(Wrong);
		expect([...base64("AAEC")]).toEqual([0, 1, 2]);
	});
});

describe("inclusion", () => {
	it("holds for every record of every small log", async () => {
		for (let n = 1; n <= 20; n++) {
			const leaves = await leavesOf(n);
			const r = await root(leaves);
			for (let i = 0; i < n; i++) {
				const v = await verifyInclusion(entry(i), i, await path(i, leaves), head(n, r));
				expect(v.root).toBe(hex(r));
				expect(v.steps.at(-1)?.result ?? v.leaf).toBe(hex(r));
			}
		}
	});
	it("fails for another record, index, size, hash or length", async () => {
		const leaves = await leavesOf(13);
		const r = await root(leaves);
		const proof = await path(5, leaves);
		await expect(verifyInclusion(entry(6), 5, proof, head(13, r))).rejects.toThrow(Wrong);
		await expect(verifyInclusion(entry(5), 4, proof, head(13, r))).rejects.toThrow(Wrong);
		await expect(verifyInclusion(entry(5), 13, proof, head(13, r))).rejects.toThrow("behind");
		await expect(verifyInclusion(entry(5), 5, proof.slice(1), head(13, r))).rejects.toThrow(Wrong);
		await expect(verifyInclusion(entry(5), 5, [...proof, proof[0]!], head(13, r))).rejects.toThrow(Wrong);
		await expect(verifyInclusion(entry(5), 5, [new Uint8Array(31), ...proof.slice(1)], head(13, r))).rejects.toThrow(Wrong);
		for (let i = 0; i < proof.length; i++) {
			const bent = proof.map(h => h.slice());
			bent[i]![i] = bent[i]![i]! ^ 1;
			await expect(verifyInclusion(entry(5), 5, bent, head(13, r))).rejects.toThrow(Wrong);
		}
	});
});

async function log(n: number) {
	const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
	const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
	const typed = Uint8Array.of(1, ...raw);
	const id = (await sha256(Uint8Array.of(...text("house.example\n"), ...typed))).slice(0, 4);
	const leaves = await leavesOf(n);
	const body = `house.example\n${n}\n${to64(await root(leaves))}\n`;
	const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, text(body)));
	const checkpoint = `${body}\n— house.example ${to64(Uint8Array.of(...id, ...signature))}\n`;
	const proof = async (i: number): Promise<string> => `c2sp.org/tlog-proof@v1\nindex ${i}\n${(await path(i, leaves)).map(h => to64(h) + "\n").join("")}\n${checkpoint}`;
	return { vkey: `house.example+${hex(id)}+${to64(typed)}`, checkpoint, proof };
}

describe("a proof file", () => {
	it("verifies, step by step", async () => {
		const l = await log(9);
		const v = await verifyProof(await l.proof(6), '{"n":6}');
		expect(v.index).toBe(6);
		expect(v.steps).toHaveLength(4);
		expect(v.checkpoint.size).toBe(9);
		expect((await verifyProof(await (await log(1)).proof(0), '{"n":0}')).steps).toHaveLength(0);
	});
	it("does not for a changed record, or when it is none", async () => {
		const l = await log(9);
		await expect(verifyProof(await l.proof(6), '{"n": 6}')).rejects.toThrow(Wrong);
		for (const bad of ["", "\n\n", "c2sp.org/tlog-proof@v1\nindex x\n\n", "c2sp.org/tlog-proof@v2\nindex 1\n\n", (await l.proof(6)).replace("index 6", "index 06"), (await l.proof(6)).replace("\n9\n", "\n-9\n")]) {
			await expect(verifyProof(bad, '{"n":6}')).rejects.toThrow(Wrong);
		}
	});
	it("is signed by its key and no other", async () => {
		const l = await log(3);
		const checkpoint = parseCheckpoint(l.checkpoint);
		expect(await verifySignature(checkpoint, l.vkey + "\n")).toBe("yes");
		expect(await verifySignature(checkpoint, (await log(3)).vkey)).toBe("other-key");
		expect(await verifySignature({ ...checkpoint, body: checkpoint.body.replace("\n3\n", "\n4\n") }, l.vkey)).toBe("no");
		await expect(verifySignature(checkpoint, l.vkey.replace("+", "x+"))).rejects.toThrow("copied wrongly");
		await expect(verifySignature(checkpoint, "house.example+00000000+AAAA")).rejects.toThrow(Wrong);
	});
});
