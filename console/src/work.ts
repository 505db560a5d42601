// What waits for whom. From the lists that a person may see anyway; pure, so that it is tested without a browser.

import { daysUntil, words } from "./format";
import type { Tone } from "./parts/ui";
import type { AirlockRequest, AirlockState, Cell, Person, Review, Role, Study } from "./types";

export interface WorkItem { view: "studies" | "airlock" | "cells"; title: string; note: string; href: string; badge: string; tone: Tone }

const REVIEWER: [Role, Review][] = [["it-reviewer", "it"], ["management-reviewer", "management"], ["research-reviewer", "research"]];

export const isMe = (me: Person, who: string | undefined): boolean => who !== undefined && (who === me.name || who === me.id);

/** the signatures that this person could give to this study now */
export function signable(me: Person, s: Study): Review[] {
	if (s.state !== "draft" && s.state !== "review") return [];
	if (isMe(me, s.pi) || s.people.some(p => isMe(me, p)) || s.signatures.some(g => isMe(me, g.who))) return [];
	const can = REVIEWER.filter(([role, review]) => me.roles.includes(role) && s.missing.includes(review)).map(([, review]) => review);
	const last = me.roles.includes("security-officer") && s.missing.length === 1 && s.missing[0] === "security";
	return last ? [...can, "security"] : can;
}

/** what a request is called: the first line of its purpose */
export function titleOf(r: AirlockRequest): string {
	const line = (r.purpose ?? "").split("\n")[0]?.trim() ?? "";
	return line === "" ? `Request ${r.id.slice(0, 8)}` : line.length > 90 ? `${line.slice(0, 88)} …` : line;
}

/** where a list does not tell whether one has decided already: what was decided or seen since the sign-in is remembered */
const decided = new Set<string>();
export const rememberDecided = (me: Person, r: AirlockRequest): void => { if (r.reviews?.some(v => isMe(me, v.who))) decided.add(r.id); };
export const forgetDecided = (): void => decided.clear();

/** may this person decide on the request now? */
export function decidable(me: Person, r: AirlockRequest): "review" | "consolidate" | null {
	if (isMe(me, r.who)) return null;
	const mine = r.reviewed === true || decided.has(r.id) || r.reviews?.some(v => isMe(me, v.who)) === true;
	if (r.state === "review" && me.roles.includes("output-checker") && !mine) return "review";
	if (r.state === "consolidating" && !mine && (me.roles.includes("privacy-officer") || me.roles.includes("output-checker"))) return "consolidate";
	return null;
}

export const AIRLOCK_TONE: Record<AirlockState, Tone> = {
	draft: "plain", scanning: "info", blocked: "bad", review: "wait", consolidating: "warn", returned: "warn", rejected: "bad", approved: "ok", releasing: "info",
	released: "ok", withdrawn: "plain", expired: "plain", recalled: "bad",
};
export const STUDY_TONE: Record<Study["state"], Tone> = { draft: "plain", review: "wait", approved: "ok", closed: "plain" };

export function waiting(me: Person, studies: readonly Study[], requests: readonly AirlockRequest[], cells: readonly Cell[], now = Date.now()): WorkItem[] {
	const items: WorkItem[] = [];
	for (const r of requests) {
		const item = (title: string, note: string, badge: string): WorkItem => ({ view: "airlock", title, note, href: `#/airlock/${r.id}`, badge, tone: AIRLOCK_TONE[r.state] });
		const count = r.count ?? r.files?.length ?? 0;
		const files = `${count} ${count === 1 ? "file" : "files"}, ${r.direction === "out" ? "out" : "in"}`;
		const title = titleOf(r);
		const decide = decidable(me, r);
		if (decide === "review") items.push(item(title, `${r.who}, ${files}`, "Waits for your decision"));
		else if (decide === "consolidate") items.push(item(title, `${r.who}, ${files}`, "Waits for a third"));
		else if (isMe(me, r.who) && (r.state === "returned" || r.state === "blocked")) items.push(item(title, files, words(r.state)));
		else if (isMe(me, r.who) && r.state === "approved") items.push(item(title, files, "Approved: release it"));
	}
	for (const s of studies) {
		const item = (note: string, badge: string, tone: Tone): WorkItem => ({ view: "studies", title: s.title, note, href: `#/studies/${s.id}`, badge, tone });
		const reviews = signable(me, s);
		const days = s.basis ? daysUntil(s.basis.expires, now) : NaN;
		if (reviews.length) items.push(item(`${s.protocol}, by ${s.pi}`, `Waits for your ${reviews[0] === "security" ? "approval" : "signature"}`, "wait"));
		else if (me.roles.includes("irb-member") && s.state !== "closed" && s.missing.includes("basis")) items.push(item(`${s.protocol}, by ${s.pi}`, "Has no basis yet", "wait"));
		else if ((me.roles.includes("irb-member") || isMe(me, s.pi)) && s.state === "approved" && days < 60) {
			items.push(item(`${s.protocol}: basis ${s.basis?.number ?? ""}`, days < 0 ? "Basis has expired" : `Basis ends in ${days} days`, days < 0 ? "bad" : "warn"));
		} else if (isMe(me, s.pi) && s.valid && s.offer) items.push(item(`${s.protocol}: the pool is newer than the newest release`, "New data", "info"));
	}
	for (const c of cells) {
		if (isMe(me, c.who) && c.state === "open") items.push({ view: "cells", title: `Cell ${c.id.slice(0, 8)}`, note: `study ${c.study.slice(0, 8)}`, href: `#/cells/${c.id}`, badge: "Open", tone: "ok" });
	}
	return items;
}
