import { describe, expect, it } from "vitest";
import { marks, moved, numbers, rate, sourceOf } from "../src/flow_model";
import { ago, bytes, daysUntil, groups, number, plural, short, words } from "../src/format";
import { dataUrl, parseCsv, show } from "../src/preview";
import { left } from "../src/session";
import type { AirlockRequest, Flow, Person, Study } from "../src/types";
import { decidable, forgetDecided, rememberDecided, signable, waiting } from "../src/work";

describe("how things look", () => {
	it("numbers and sizes", () => {
		expect(number(1234567)).toBe("1,234,567");
		expect(number(undefined)).toBe("–");
		expect([short(99_999), short(100_000), short(1_999_999), short(212_345_678)]).toEqual(["99,999", "100 k", "1.9 M", "212 M"]);
		expect([bytes(0), bytes(1), bytes(1023), bytes(1024), bytes(1024 ** 3 * 1.5), bytes(undefined)]).toEqual(["0 bytes", "1 byte", "1023 bytes", "1.0 KiB", "1.5 GiB", "–"]);
		expect(plural(1, "release") + plural(2, "release")).toBe("1 release2 releases");
	});
	it("times", () => {
		const now = Date.parse("2026-05-03T12:00:00Z");
		expect(ago("2026-05-03T11:59:58Z", now)).toBe("now");
		expect(ago("2026-05-03T11:56:00Z", now)).toBe("4 min ago");
		expect(ago("2026-05-01T11:56:00Z", now)).toBe("2 days ago");
		expect(ago("2026-05-03T15:00:00Z", now)).toBe("in 3 h");
		expect(ago("nonsense", now)).toBe("–");
		expect([daysUntil("2026-05-03", now), daysUntil("2026-05-02", now), daysUntil("2026-06-02", now)]).toEqual([0, -1, 30]);
	});
	it("words and digests", () => {
		expect([words("irb-approval"), words("output-checker"), words("dns")]).toEqual(["IRB approval", "Output checker", "DNS"]);
		expect(groups("0123456789abcdef")).toEqual(["01234567", "89abcdef"]);
	});
});

const flow = (): Flow => ({
	feeds: [{ name: "a", kind: "feed", state: "connected", accepted: 10, duplicate: 0, refused: 0 }, { name: "b", kind: "device", state: "connected", accepted: 5, duplicate: 0, refused: 0 }],
	landing: { newest: 7, done: 5 }, pool: { generation: 1, resources: { Patient: 3, Observation: 20 }, patients: 3, quarantined: { "bad-date": 2 } },
	studies: 1, releases: 1, cells: 0, airlock: { review: 2, released: 1, rejected: 4 }, records: 99,
});

describe("the drawing's numbers", () => {
	it("add up", () => {
		const n = numbers(flow());
		expect(n).toMatchObject({ accepted: 15, waiting: 2, resources: 23, quarantined: 2, deciding: 2, requests: 7, out: 1 });
		expect(n.sources.emr).toEqual({ accepted: 10, feeds: 1 });
		expect([sourceOf({ kind: "feed", name: "epic" }), sourceOf({ kind: "device", name: "x" }), sourceOf({ kind: "feed", name: "warehouse-2" }), sourceOf({ kind: "clinician", name: "x" })]).toEqual(["emr", "bedside", "warehouse", "clinician"]);
	});
	it("move only where a counter grew", () => {
		const later = flow();
		later.feeds[1]!.accepted = 9;
		later.pool.resources["Observation"] = 60;
		later.airlock = { review: 1, released: 2, rejected: 4 };
		later.releases = 0;
		expect(moved(numbers(flow()), numbers(later))).toEqual({ "bedside-landing": 4, "landing-pool": 40, "airlock-out": 1 });
		expect(moved(numbers(flow()), numbers(flow()))).toEqual({});
	});
	it("are few marks", () => {
		expect([marks(0), marks(-3), marks(1), marks(3), marks(1_000_000)]).toEqual([0, 0, 1, 3, 10]);
		expect([rate(10, 30, 2000), rate(30, 10, 2000), rate(1, 2, 0)]).toEqual([10, 0, 0]);
	});
});

describe("a preview", () => {
	const b = (s: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(s);
	it("goes by the bytes, not by the name", () => {
		expect(show(Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), "a.csv")).toEqual({ kind: "image", type: "image/png" });
		expect(show(b("<svg onload=alert(1)>"), "a.svg").kind).toBe("text");
		expect(show(b("<html>"), "a.html").kind).toBe("text");
		expect(show(Uint8Array.of(0, 1, 2), "a.txt")).toEqual({ kind: "none" });
		expect(show(Uint8Array.of(0xff, 0xfe, 0x41), "a.txt")).toEqual({ kind: "none" });
		expect(show(b("x".repeat(300 * 1024)), "a.txt")).toMatchObject({ kind: "text", more: true });
		expect(show(b("é".repeat(200 * 1024)), "a.txt").kind).toBe("text"); // cut within a character
	});
	it("reads tables", () => {
		expect(parseCsv('a,"b ""x"", y"\r\n1,"2\n3"\n').rows).toEqual([["a", 'b "x", y'], ["1", "2\n3"]]);
		expect(parseCsv("a\nb\nc\n", 2)).toEqual({ rows: [["a"], ["b"]], more: true });
		expect(parseCsv("")).toEqual({ rows: [], more: false });
	});
	it("gives images to the page without another address", () => expect(dataUrl(Uint8Array.of(1, 2, 3), "image/png")).toBe("data:image/png;base64,AQID"));
});

describe("a session", () => {
	const session = { me: { id: "", name: "", roles: [] }, idleSeconds: 600, expires: 1_000_000 };
	it("ends by idleness or age, whichever is first", () => {
		expect(left(session, 0, 60_000)).toEqual({ seconds: 540, age: false });
		expect(left(session, 900_000, 900_000)).toEqual({ seconds: 100, age: true });
	});
});

const person = (name: string, ...roles: Person["roles"]): Person => ({ id: name.repeat(4), name, roles });
const study = (more: Partial<Study>): Study => ({
	id: "5", title: "T", protocol: "P", profile: "safe-harbor", state: "review", valid: false, pi: "pia", people: ["rolf"], cohort: "", signatures: [], missing: ["it", "security"],
	digest: "d", created: "", releases: 0, offer: false, ...more,
});
const request = (more: Partial<AirlockRequest>): AirlockRequest => ({ id: "7", cell: "c", study: "5", direction: "out", who: "rolf", state: "review", files: [], reviews: [], ...more });

describe("what waits for whom", () => {
	it("a signature, of the right role, never of one's own study, never twice", () => {
		expect(signable(person("ivo", "it-reviewer"), study({}))).toEqual(["it"]);
		expect(signable(person("pia", "it-reviewer"), study({}))).toEqual([]);
		expect(signable(person("rolf", "it-reviewer"), study({}))).toEqual([]);
		expect(signable(person("ivo", "it-reviewer"), study({ state: "closed" }))).toEqual([]);
		expect(signable(person("sam", "security-officer"), study({}))).toEqual([]);
		expect(signable(person("sam", "security-officer"), study({ missing: ["security"] }))).toEqual(["security"]);
		const signed = study({ signatures: [{ review: "management", who: "ivo", decision: "sign", at: "", digest: "d" }] });
		expect(signable(person("ivo", "it-reviewer"), signed)).toEqual([]);
	});
	it("a decision, never of the author, never twice; the third by a third", () => {
		const olga = person("olga", "output-checker");
		expect(decidable(olga, request({}))).toBe("review");
		expect(decidable(olga, request({ who: "olga" }))).toBeNull();
		expect(decidable(olga, request({ reviews: [{ who: "olga", decision: "approve", at: "" }] }))).toBeNull();
		expect(decidable(person("paula", "privacy-officer"), request({}))).toBeNull();
		expect(decidable(person("paula", "privacy-officer"), request({ state: "consolidating" }))).toBe("consolidate");
		expect(decidable(olga, request({ state: "consolidating", reviews: [{ who: "olga", decision: "approve", at: "" }] }))).toBeNull();
	});
	it("says no more what was seen to be decided", () => {
		const olga = person("olga", "output-checker");
		rememberDecided(olga, request({ reviews: [{ who: "olga", decision: "approve", at: "" }] }));
		expect(decidable(olga, request({}))).toBeNull();
		forgetDecided();
		expect(decidable(olga, request({}))).toBe("review");
	});
	it("is one list", () => {
		const list = waiting(person("olga", "output-checker"), [study({})], [request({ purpose: "Table\nand more", count: 2 }), request({ id: "8", state: "released" })], []);
		expect(list.map(i => [i.title, i.href])).toEqual([["Table", "#/airlock/7"]]);
		const pi = waiting(person("pia", "principal-investigator"), [study({ state: "approved", valid: true, missing: [], basis: { id: "b", kind: "irb-approval", board: "", number: "N", document_sha256: "", expires: "2026-05-20" } })], [], [], Date.parse("2026-05-03T00:00:00Z"));
		expect(pi.map(i => i.badge)).toEqual(["Basis ends in 17 days"]);
	});
});
