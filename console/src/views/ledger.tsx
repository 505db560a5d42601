// The record: who did what, when. Asking is recorded as well.

import { useState } from "preact/hooks";
import { api } from "../api";
import { number, time } from "../format";
import { useAct, useLoad } from "../hooks";
import { Badge, Button, Facts, Failure, Field, Form, Page, Section, Table } from "../parts/ui";
import type { AuditRecord } from "../types";

interface Query { who: string; act: string; subject: string; object: string; from: string; to: string }
const NOTHING: Query = { who: "", act: "", subject: "", object: "", from: "", to: "" };
const utc = (local: string): string | undefined => local ? new Date(local).toISOString() : undefined;

export function Ledger() {
	const head = useLoad(api.auditHead, [], 10_000);
	const [query, set] = useState<Query>(NOTHING);
	const [records, setRecords] = useState<AuditRecord[]>([]);
	const [names, setNames] = useState<Record<string, string>>({});
	const [asked, setAsked] = useState<Query>();
	const [next, setNext] = useState<number | null>(null);
	const put = (key: keyof Query) => (value: string): void => set(old => ({ ...old, [key]: value }));

	const ask = async (q: Query, before: number | null): Promise<void> => {
		let page = { records: [] as AuditRecord[], names: {}, next: before };
		// an answer may be empty and say where to go on: the ledger looks at a part of the log at a time
		for (let turn = 0; turn < 20; turn++) {
			page = await api.audit({ who: q.who.trim(), act: q.act.trim(), subject: q.subject.trim(), object: q.object.trim(), ...(q.from ? { from: utc(q.from) ?? "" } : {}), ...(q.to ? { to: utc(q.to) ?? "" } : {}), ...(page.next === null ? {} : { before: page.next }) });
			if (page.records.length || page.next === null) break;
		}
		setRecords(old => before === null ? page.records : [...old, ...page.records]);
		setNames(old => ({ ...old, ...page.names }));
		setNext(page.next);
		setAsked(q);
	};
	const search = useAct(() => ask(query, null));
	const more = useAct(() => ask(asked ?? NOTHING, next));
	return (
		<Page title="Ledger" lead="Every decision, in order, append only. Each record can be proved without trusting this house." wide>
			<Section title="The signed head">
				<Facts of={[["Records", number(head.data?.size)], ["Root", <code>{head.data?.root ?? "–"}</code>]]} />
			</Section>
			<Section title="Search">
				<Form doing={search} label="Search the ledger">
					<div class="fields">
						<Field label="Who" value={query.who} onInput={put("who")} optional spellcheck={false} hint="Login or id" />
						<Field label="Act" value={query.act} onInput={put("act")} optional spellcheck={false} hint="object.get, or all that begin so: object." />
						<Field label="Subject" value={query.subject} onInput={put("subject")} optional mono hint="Token of a patient" />
						<Field label="Object" value={query.object} onInput={put("object")} optional mono hint="32 hex digits" pattern="[0-9a-f]{32}" />
						<Field label="From" type="datetime-local" value={query.from} onInput={put("from")} optional />
						<Field label="Until" type="datetime-local" value={query.to} onInput={put("to")} optional />
					</div>
					<div class="row"><Button type="submit" kind="main" disabled={search.busy}>{search.busy ? "Searching …" : "Search"}</Button><span class="dim">Your question becomes a record, too.</span></div>
				</Form>
			</Section>
			{asked && (
				<Section title="Records" actions={<span class="dim" role="status">{number(records.length)} shown{next === null ? ", all" : ""}</span>}>
					<Table caption="Records, newest first" quiet rows={records} keyOf={r => r.n} empty="No record fits." columns={[
						{ head: "Record", cell: r => <a href={`#/ledger/${r.n}`}>{number(r.n)}</a>, row: true }, { head: "Time", cell: r => <span title={r.time}>{time(r.time, true)}</span>, tight: true },
						{ head: "Act", cell: r => <code>{r.act}</code> }, { head: "Who", cell: r => r.who ? names[r.who] ?? <code>{r.who.slice(0, 8)}</code> : <span class="dim">nobody signed in</span> },
						{ head: "Decision", cell: r => r.decision === "deny" ? <Badge tone="bad">Denied</Badge> : r.decision === "allow" ? <Badge tone="ok">Allowed</Badge> : <span class="dim">–</span> },
						{ head: "Reason", cell: r => r.reason ?? "" }, { head: "From", cell: r => typeof r["addr"] === "string" ? <code>{r["addr"]}</code> : "" },
					]} />
					<Failure error={more.error} />
					{next !== null && <Button onClick={more.run} disabled={more.busy}>{more.busy ? "Searching …" : "Older records"}</Button>}
				</Section>
			)}
		</Page>
	);
}
