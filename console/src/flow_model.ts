// What the numbers of /api/flow mean for the drawing. Pure functions: tested without a browser.

import type { WayId } from "./flow_layout";
import type { Flow, FlowFeed } from "./types";

export type Source = "emr" | "warehouse" | "clinician" | "bedside";

/** which door a feed comes through: devices and clinicians by their kind; a feed that is called a warehouse is one, any other is a system of records */
export function sourceOf(feed: Pick<FlowFeed, "kind" | "name">): Source {
	if (feed.kind === "device") return "bedside";
	if (feed.kind === "clinician") return "clinician";
	if (/warehouse|table|drop|csv|parquet|bulk/.test(feed.name)) return "warehouse";
	return "emr";
}

const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
const AIRLOCK_OPEN = ["draft", "scanning", "blocked", "review", "consolidating", "returned", "approved", "releasing"] as const;

export interface Numbers {
	sources: Record<Source, { accepted: number; feeds: number }>;
	accepted: number; waiting: number; arrived: number; patients: number; resources: number; quarantined: number; studies: number; releases: number; cells: number;
	deciding: number; requests: number; out: number; records: number;
}

export function numbers(flow: Flow): Numbers {
	const airlock = flow.airlock ?? {};
	const sources: Numbers["sources"] = { emr: { accepted: 0, feeds: 0 }, warehouse: { accepted: 0, feeds: 0 }, clinician: { accepted: 0, feeds: 0 }, bedside: { accepted: 0, feeds: 0 } };
	for (const feed of flow.feeds) {
		const s = sources[sourceOf(feed)];
		s.accepted += feed.accepted ?? 0;
		s.feeds++;
	}
	return {
		sources, accepted: sum(flow.feeds.map(f => f.accepted ?? 0)), waiting: Math.max(0, flow.landing.newest - flow.landing.done), arrived: flow.landing.done,
		patients: flow.pool.patients, resources: sum(Object.values(flow.pool.resources)), quarantined: sum(Object.values(flow.pool.quarantined)),
		studies: flow.studies ?? 0, releases: flow.releases ?? 0, cells: flow.cells ?? 0, deciding: sum(AIRLOCK_OPEN.map(s => airlock[s] ?? 0)),
		requests: sum(Object.values(airlock)), out: airlock.released ?? 0, records: flow.records ?? 0,
	};
}

/** what moved between two looks: how many marks run along each way. A counter that went back (a new pool) moves nothing. */
export function moved(before: Numbers, after: Numbers): Partial<Record<WayId, number>> {
	const ways: Partial<Record<WayId, number>> = {};
	const more = (way: WayId, from: number, to: number): void => { if (to > from) ways[way] = to - from; };
	for (const s of ["emr", "warehouse", "clinician", "bedside"] as const) more(`${s}-landing`, before.sources[s].accepted, after.sources[s].accepted);
	more("landing-pool", before.resources, after.resources);
	more("pool-quarantine", before.quarantined, after.quarantined);
	more("pool-release", before.releases, after.releases);
	more("release-cell", before.cells, after.cells);
	more("cell-airlock", before.requests, after.requests);
	more("airlock-out", before.out, after.out);
	return ways;
}

/** few marks for few things, and never a crowd: 1, 2, 3 … up to 10 for thousands */
export const marks = (n: number): number => n <= 0 ? 0 : Math.min(10, n < 4 ? n : Math.round(2 + Math.log2(n)));

/** per second, from counters seen at two times (ms) */
export function rate(before: number, after: number, ms: number): number {
	return ms > 0 && after > before ? (after - before) * 1000 / ms : 0;
}
