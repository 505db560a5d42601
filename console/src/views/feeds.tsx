// What comes in, and how the house is.

import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api";
import { rate } from "../flow_model";
import { bytes, number, span, time, words } from "../format";
import { useAct, useLoad } from "../hooks";
import { useHouse } from "../house";
import { ActButton, Ago, Badge, Facts, Failure, JobProgress, Page, Section, Show, Stat, Table } from "../parts/ui";
import type { Flow, FlowFeed } from "../types";

const FEED_STATE: Record<string, "ok" | "warn" | "bad" | "plain"> = { connected: "ok", listening: "ok", active: "ok", idle: "plain", silent: "warn", refused: "bad", down: "bad", revoked: "plain" };

/** accepted per second and feed, over the last ten looks */
function useRates(flow: Flow | undefined): Map<string, number> {
	const seen = useRef<{ at: number; counts: Map<string, number> }[]>([]);
	const [rates, set] = useState(new Map<string, number>());
	useEffect(() => {
		if (!flow) return;
		const now = { at: performance.now(), counts: new Map(flow.feeds.map(f => [f.name, f.accepted ?? 0])) };
		seen.current = [...seen.current.slice(-9), now];
		const first = seen.current[0];
		if (first) set(new Map(flow.feeds.map(f => [f.name, rate(first.counts.get(f.name) ?? f.accepted ?? 0, f.accepted ?? 0, now.at - first.at)])));
	}, [flow]);
	return rates;
}

function Rebuild() {
	const [job, setJob] = useState("");
	const rebuild = useAct(async () => setJob((await api.rebuild()).job));
	return (
		<>
			<ActButton doing={rebuild} disabled={job !== ""}>Make the pool anew from landing</ActButton>
			<Failure error={rebuild.error} />
			<JobProgress id={job} label="New generation of the pool" ended={() => setJob("")} />
		</>
	);
}

export function Feeds() {
	const flow = useLoad(api.flow, [], 1000);
	const rates = useRates(flow.data);
	const { is } = useHouse();
	return (
		<Page title="Feeds" lead="Each feed has an identity of its own. What it sends is stored sealed, recorded, and only then acknowledged.">
			<Show of={flow}>
				{f => {
					const reasons = Object.entries(f.pool.quarantined).sort((a, b) => b[1] - a[1]);
					const all = reasons.reduce((n, r) => n + r[1], 0);
					return (
						<>
							<div class="stats">
								<Stat label="Messages a second" value={[...rates.values()].reduce((a, b) => a + b, 0).toFixed(1)} note="over ten seconds" />
								<Stat label="Waiting in landing" value={number(Math.max(0, f.landing.newest - f.landing.done))} note="segments not yet in the pool" />
								<Stat label="Patients in the pool" value={number(f.pool.patients)} note={`generation ${f.pool.generation}`} />
								<Stat label="Quarantine" value={number(all)} tone={all ? "warn" : "plain"} note="kept aside, with a reason" />
							</div>
							<Section title="Feeds">
								<Table<FlowFeed> caption="Feeds with their counters" quiet rows={f.feeds} keyOf={r => r.name} empty="No feed has been added yet." columns={[
									{ head: "Feed", cell: r => r.name, row: true }, { head: "Kind", cell: r => words(r.kind) },
									{ head: "State", cell: r => <Badge tone={FEED_STATE[r.state] ?? "plain"}>{words(r.state)}</Badge> },
									{ head: "A second", cell: r => (rates.get(r.name) ?? 0).toFixed(1), num: true }, { head: "Accepted", cell: r => number(r.accepted ?? 0), num: true },
									{ head: "Again", cell: r => number(r.duplicate ?? 0), num: true }, { head: "Refused", cell: r => number(r.refused ?? 0), num: true },
									{ head: "Last receipt", cell: r => <Ago at={r.last} /> },
								]} />
							</Section>
							<div class="columns even">
								<Section title="Quarantine by reason">
									<Table caption="Messages that could not be used" quiet rows={reasons} keyOf={r => r[0]} empty="Nothing is in quarantine." columns={[
										{ head: "Reason", cell: r => words(r[0]), row: true }, { head: "Messages", cell: r => number(r[1]), num: true },
									]} />
								</Section>
								<Section title="In the pool">
									<Table caption="Resources by type" quiet rows={Object.entries(f.pool.resources).sort((a, b) => b[1] - a[1])} keyOf={r => r[0]} empty="The pool is empty." columns={[
										{ head: "Resource", cell: r => r[0], row: true }, { head: "Count", cell: r => number(r[1]), num: true },
									]} />
									{is("data-steward") && <Rebuild />}
								</Section>
							</div>
						</>
					);
				}}
			</Show>
		</Page>
	);
}

export function Health() {
	const status = useLoad(api.status, [], 2000);
	return (
		<Page title="Health" lead="Do all parts answer, and how is the storage?">
			<Show of={status}>
				{s => (
					<>
						<Section title="Processes" actions={<span class="dim">as of {time(s.time, true)}, up {span(s.uptimeSeconds)}</span>}>
							<Table caption="Processes of the house" quiet rows={s.processes} keyOf={p => p.name} columns={[
								{ head: "Process", cell: p => p.name, row: true }, { head: "State", cell: p => <Badge tone={p.answers ? "ok" : "bad"}>{p.answers ? "Answers" : "Silent"}</Badge> },
								{ head: "Answers in", cell: p => p.answerMicroseconds === undefined ? "–" : `${(p.answerMicroseconds / 1000).toFixed(2)} ms`, num: true },
							]} />
						</Section>
						<div class="columns even">
							{s.vault && <Section title="Storage"><Facts of={[
								["Sealed bytes", bytes(s.vault.bytes)], ["Free on disk", bytes(s.vault.diskFreeBytes)], ["Objects' versions", number(s.vault.versions)],
								["Blobs", number(s.vault.blobs)], ["Damaged blobs", s.vault.blobsBad ? <Badge tone="bad">{s.vault.blobsBad}</Badge> : <Badge tone="ok">none</Badge>],
								["Last full check", s.vault.lastFullCheck ? <Ago at={s.vault.lastFullCheck} /> : "not yet"],
							]} /></Section>}
							<Section title="Ledger and gate"><Facts of={[
								s.ledger && ["Records", number(s.ledger.records)] as const, s.ledger && ["Size", bytes(s.ledger.bytes)] as const,
								s.ledger && ["Waiting for the index", number(s.ledger.indexBacklog)] as const,
								["Requests", number(s.gate.requests)], ["Errors", number(s.gate.errors)], ["Connections", number(s.gate.connections)],
							].map(f => f || undefined) as never} /></Section>
						</div>
					</>
				)}
			</Show>
		</Page>
	);
}
