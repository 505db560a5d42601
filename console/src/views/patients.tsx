// "Who saw this patient", and the accounting of disclosures (45 CFR 164.528). For the privacy officer; each look-up needs a reason and is
// recorded. The record number goes to the house in the body of one request, and is not kept in the page's address.

import { useState } from "preact/hooks";
import { api } from "../api";
import { date, number, words } from "../format";
import { useAct, useLoad } from "../hooks";
import { Badge, Button, Choice, Empty, Facts, Field, Form, JobProgress, Page, Section, Show, Table, When } from "../parts/ui";
import type { Access, Disclosure } from "../types";

const REASONS = [["patient-request", "The patient asks"], ["accounting", "Accounting of disclosures"], ["complaint", "A complaint"], ["incident", "An incident"], ["audit", "An audit"], ["legal", "A legal duty"]] as const;

function Accesses({ subject }: { subject: string }) {
	const accesses = useLoad(s => api.accesses(subject, s), [subject]);
	return (
		<Section title="Who saw it">
			<Show of={accesses}>
				{list => <Table<Access> caption="Accesses to data of this patient, from the ledger" rows={list} keyOf={a => a.record} empty="Nobody." columns={[
					{ head: "Record", cell: a => <a href={`#/ledger/${a.record}`}>{number(a.record)}</a>, row: true }, { head: "When", cell: a => <When at={a.at} seconds />, tight: true }, { head: "Who", cell: a => a.who ? /^[0-9a-f]{32}$/.test(a.who) ? <code title={a.who}>{a.who.slice(0, 8)}</code> : a.who : "–" }, { head: "Decision", cell: a => a.decision === "deny" ? <Badge tone="bad">Denied</Badge> : <Badge tone="ok">Allowed</Badge> },
					{ head: "From", cell: a => a.address ? <code>{a.address}</code> : "–" }, { head: "Act", cell: a => <code>{a.act}</code> },
					{ head: "Study", cell: a => a.study ? <a href={`#/studies/${a.study}`}>{a.study.slice(0, 8)}</a> : "–" }, { head: "Basis", cell: a => a.basis ? <code title={a.basis}>{a.basis.slice(0, 8)}</code> : "–" },
				]} />}
			</Show>
		</Section>
	);
}

const Entry = ({ d }: { d: Disclosure }) => (
	<article class="disclosure">
		<h3>{date(d.at)}: {d.recipient.name}</h3>
		<Facts of={[
			["Recipient", <>{d.recipient.name}<br />{d.recipient.address}</>], ["What was disclosed", d.description], ["Purpose", d.purpose], ["Protocol", [d.study.protocol, d.study.title].filter(Boolean).join(": ") || "–"],
			d.study.purpose !== undefined && ["Purpose of the study", d.study.purpose], d.study.data !== undefined && ["Kind of information", d.study.data],
			["Selection criteria", d.study.criteria ?? "–"], ["Period", d.study.period ?? "–"], ["Sponsor", d.study.sponsor ?? "–"], ["Contact", d.study.contact ?? "–"],
			d.record !== undefined && ["Record", <a href={`#/ledger/${d.record}`}>{number(d.record)}</a>],
		]} />
	</article>
);

function Accounting({ subject }: { subject: string }) {
	const disclosures = useLoad(s => api.disclosures(subject, s), [subject]);
	return (
		<Section title="Accounting of disclosures" actions={<span class="no-print"><Button icon="print" onClick={() => print()}>Print</Button></span>}>
			<p class="print-only">Accounting of disclosures of protected health information (45 CFR 164.528), six years back. Patient's token {subject}. Printed {date(new Date().toISOString())}.</p>
			<Show of={disclosures}>{list => list.length === 0 ? <Empty>Nothing was disclosed.</Empty> : <>{list.map(d => <Entry key={d.id} d={d} />)}</>}</Show>
		</Section>
	);
}

export function Patients() {
	const [mrn, setMrn] = useState("");
	const [reason, setReason] = useState("patient-request");
	const [job, setJob] = useState("");
	const [subjects, setSubjects] = useState<string[]>();
	const [subject, setSubject] = useState("");
	const find = useAct(async () => {
		setSubjects(undefined);
		setSubject("");
		setJob("");
		const started = (await api.findSubject(mrn.trim(), reason)).job;
		setMrn("");
		setJob(started);
	});
	return (
		<Page title="Who saw a patient" lead="By medical record number. The house answers with a token; the number itself is in no record." wide>
			<div class="no-print">
				<Section title="Look up">
					<Form doing={find} label="Look up a patient">
						<div class="fields">
							<Field label="Medical record number" value={mrn} onInput={setMrn} required autoComplete="off" spellcheck={false} maxLength={64} />
							<Choice label="Reason" value={reason} onInput={setReason} options={REASONS} hint="It is in the record of this look-up." />
						</div>
						<Button type="submit" kind="main" disabled={find.busy}>{find.busy ? "Asking …" : "Look up"}</Button>
					</Form>
					{subjects === undefined && <JobProgress id={job} label="Look-up" ended={j => { const found = j.result?.["subjects"]; if (j.state === "done") { const list = Array.isArray(found) ? found.map(String) : []; setSubjects(list); setSubject(list[0] ?? ""); } }} />}
					{subjects !== undefined && (subjects.length === 0 ? <Empty>No patient has this number.</Empty> : (
						<ul class="findings">{subjects.map(s => <li key={s}><Badge tone="info">{words("token")}</Badge><code>{s}</code>{s !== subject && <Button kind="quiet" onClick={() => setSubject(s)}>Show</Button>}</li>)}</ul>
					))}
				</Section>
			</div>
			{subject && <><div class="no-print"><Accesses subject={subject} /></div><Accounting subject={subject} /></>}
		</Page>
	);
}
