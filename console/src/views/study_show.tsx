// One study: what it is, what it may see and why, who has signed, what is missing, what was released.

import { useState } from "preact/hooks";
import { api } from "../api";
import { date, daysUntil, number, plural, words } from "../format";
import { useAct, useLoad, type Loaded } from "../hooks";
import { useHouse } from "../house";
import { ActButton, Badge, Button, Choice, Copy, Dialog, Digest, Facts, Failure, Field, Form, JobProgress, Notice, Page, Radios, Section, Show, Table, When } from "../parts/ui";
import { go } from "../router";
import type { Release, Review, Study } from "../types";
import { isMe, signable, STUDY_TONE } from "../work";
import { BasisBadge } from "./studies";
import { patients } from "./study_form";

const REVIEWS: [Review, string, string][] = [
	["it", "IT", "Is the house able to hold this?"], ["management", "Management", "Does the institution want it?"],
	["research", "Research", "Is the question sound, and are these the data it needs?"], ["security", "Security officer", "The approval, after all others and a basis"],
];
const MISSING: Record<string, string> = { pi: "a principal investigator who is still here", basis: "a basis", it: "the IT signature", management: "the management signature", research: "the research signature", security: "the security officer's approval" };

function SignDialog({ study, review, close, done }: { study: Study; review: Review; close: () => void; done: () => void }) {
	const [decision, setDecision] = useState("");
	const [comment, setComment] = useState("");
	const { announce } = useHouse();
	const sign = useAct(async () => {
		await api.sign(study.id, { review, decision, digest: study.digest, comment });
		announce(decision === "sign" ? "Signed" : "Refused");
		done();
		close();
	});
	return (
		<Dialog title={review === "security" ? "Approve this study" : `Sign for ${words(review)}`} open onClose={close}>
			<Form doing={sign} label="Signature">
				<p><strong>{study.title}</strong>, {study.protocol}, by {study.pi}</p>
				<Digest label="You sign exactly this digest: title, protocol, people, profile, cohort, tables, limits and basis" value={study.digest} />
				<Radios legend="Decision" value={decision} onInput={setDecision} options={[["sign", review === "security" ? "Approve" : "Sign"], ["refuse", "Refuse"]]} />
				<Field label="Comment" value={comment} onInput={setComment} rows={3} optional={decision !== "refuse"} required={decision === "refuse"} maxLength={1000} hint="No patient's data here: the comment is kept with the study." />
				<div class="row">
					<Button onClick={close}>Cancel</Button>
					<Button type="submit" kind={decision === "refuse" ? "danger" : "main"} disabled={!decision || sign.busy}>{sign.busy ? "Signing …" : decision === "refuse" ? "Refuse this digest" : "Sign this digest"}</Button>
				</div>
			</Form>
		</Dialog>
	);
}

function Signatures({ study, reload }: { study: Study; reload: () => void }) {
	const { me } = useHouse();
	const [signing, setSigning] = useState<Review>();
	const can = signable(me, study);
	const basisDone = !study.missing.includes("basis") && study.basis;
	return (
		<Section title="Signatures" actions={study.missing.length === 0 ? <Badge tone="ok">Complete</Badge> : <Badge tone="wait">{study.missing.length} missing</Badge>}>
			{study.state !== "closed" && study.missing.length > 0 && <p class="missing">Missing: {study.missing.map(m => MISSING[m] ?? m).join(", ")}.</p>}
			<ol class="steps">
				<li class={basisDone ? "done" : "next"}>
					<div class="step-head"><strong>Basis</strong>{study.basis ? <BasisBadge study={study} /> : <span class="dim">recorded by the IRB or the privacy officer</span>}</div>
					{study.basis && <p class="dim">{words(study.basis.kind)} {study.basis.number}, {study.basis.board}</p>}
				</li>
				{REVIEWS.map(([review, name, question]) => {
					const signature = study.signatures.find(s => s.review === review);
					const mine = can.includes(review);
					return (
						<li key={review} class={signature ? (signature.decision === "sign" ? "done" : "refused") : mine ? "next" : ""}>
							<div class="step-head"><strong>{name}</strong>
								{signature
									? <><Badge tone={signature.decision === "sign" ? "ok" : "bad"}>{signature.decision === "sign" ? "Signed" : "Refused"}</Badge><span class="dim">{signature.who}, <When at={signature.at} /></span></>
									: <span class="dim">{question}</span>}
							</div>
							{signature?.comment && <p>{signature.comment}</p>}
							{signature && signature.digest !== study.digest && <Badge tone="warn">signed another digest</Badge>}
							{mine && <p><Button kind="main" onClick={() => setSigning(review)}>{review === "security" ? "Approve or refuse" : "Sign or refuse"}</Button></p>}
						</li>
					);
				})}
			</ol>
			<Digest label="What signatures bind (SHA-256)" value={study.digest} />
			{signing && <SignDialog study={study} review={signing} close={() => setSigning(undefined)} done={reload} />}
		</Section>
	);
}

function BasisForm({ study, reload }: { study: Study; reload: () => void }) {
	const [open, setOpen] = useState(false);
	const [b, set] = useState({ kind: "irb-approval", board: "", number: "", document_sha256: "", expires: "" });
	const put = (key: keyof typeof b) => (value: string): void => set(old => ({ ...old, [key]: value }));
	const add = useAct(async () => { await api.addBasis(study.id, b); setOpen(false); reload(); });
	const digestOf = async (file: File | undefined): Promise<void> => {
		if (!file) return;
		const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
		put("document_sha256")(Array.from(digest, x => x.toString(16).padStart(2, "0")).join(""));
	};
	if (!open) return <Button onClick={() => setOpen(true)}>{study.basis ? "Record a new basis" : "Record the basis"}</Button>;
	return (
		<Form doing={add} label="Basis">
			<Choice label="Kind" value={b.kind} onInput={put("kind")} options={["irb-approval", "irb-waiver", "authorization", "limited-data-set-agreement", "expert-determination"].map(k => [k, words(k)] as const)} />
			<Field label="Board" value={b.board} onInput={put("board")} required maxLength={120} />
			<div class="fields">
				<Field label="Number" value={b.number} onInput={put("number")} required maxLength={120} />
				<Field label="Valid until" type="date" value={b.expires} onInput={put("expires")} required />
			</div>
			<div class="field">
				<label for="basis-file">The document <span class="dim">(its digest is computed here; the file stays with you)</span></label>
				<input id="basis-file" type="file" onChange={e => void digestOf(e.currentTarget.files?.[0])} />
			</div>
			<Field label="Digest of the document (SHA-256)" value={b.document_sha256} onInput={put("document_sha256")} required mono pattern="[0-9a-f]{64}" maxLength={64} />
			<div class="row"><Button type="submit" kind="main" disabled={add.busy}>Record the basis</Button><Button onClick={() => setOpen(false)}>Cancel</Button></div>
		</Form>
	);
}

function Releases({ study, releases }: { study: Study; releases: Loaded<Release[]> }) {
	const { me } = useHouse();
	const [job, setJob] = useState("");
	const inside = isMe(me, study.pi) || study.people.some(p => isMe(me, p));
	const make = useAct(async () => { setJob((await api.makeRelease(study.id)).job); releases.reload(); });
	const openCell = async (release: string): Promise<void> => { go(`/cells/${(await api.openCell(study.id, release)).cell}`); };
	const [chosen, setChosen] = useState("");
	const open = useAct(() => openCell(chosen));
	return (
		<Section title="Releases" actions={inside && <ActButton doing={make} kind="main" busy="Starting …" disabled={!study.valid || (job !== "")}>Make a release</ActButton>}>
			{study.offer && <Notice tone="info">The pool has newer data than the newest release.</Notice>}
			{inside && !study.valid && study.state !== "closed" && <p class="dim">A release can be made when the study is approved and its basis is valid.</p>}
			<Failure error={make.error ?? open.error} />
			<JobProgress id={job} label="Release" ended={() => { setJob(""); releases.reload(); }} />
			<Show of={releases}>
				{list => <Table caption="Releases of this study" quiet rows={[...list].sort((a, b) => b.version - a.version)} keyOf={r => r.id} empty="Nothing has been released yet." columns={[
					{ head: "Version", cell: r => <a href={`#/releases/${r.id}`}>Version {r.version}</a>, row: true },
					{ head: "State", cell: r => <Badge tone={r.state === "ready" ? "ok" : r.state === "making" ? "info" : "bad"}>{words(r.state)}</Badge> },
					{ head: "Made", cell: r => <When at={r.made} /> }, { head: "By", cell: r => r.made_by },
					{ head: "Patients", cell: r => typeof r.patients === "number" ? number(r.patients) : r.patients ?? "–", num: true },
					...(inside ? [{ head: "Work", cell: (r: Release) => r.state === "ready" && study.valid
						? <Button onClick={() => { setChosen(r.id); setTimeout(open.run); }} disabled={open.busy} label={`Open a cell with version ${r.version}`}>Open a cell</Button> : null }] : []),
				]} />}
			</Show>
		</Section>
	);
}

export function StudyShow({ id }: { id: string }) {
	const { me, is } = useHouse();
	const study = useLoad(s => api.study(id, s), [id], 10_000);
	const releases = useLoad(s => api.releases(id, s), [id], 15_000);
	const [job, setJob] = useState("");
	const [closing, setClosing] = useState(false);
	const count = useAct(async () => setJob((await api.count(id)).job));
	const close = useAct(async () => { await api.closeStudy(id); setClosing(false); study.reload(); });
	const s = study.data;
	if (!s) return <Page title="Study"><Show of={study}>{() => null}</Show></Page>;
	const pi = isMe(me, s.pi);
	const inside = pi || s.people.some(p => isMe(me, p));
	const days = s.basis ? daysUntil(s.basis.expires) : NaN;
	return (
		<Page title={s.title} wide lead={<>{s.protocol} · <Badge tone={STUDY_TONE[s.state]}>{words(s.state)}</Badge> {s.state === "approved" && (s.valid ? <Badge tone="ok">May see data</Badge> : <Badge tone="bad">May not see data</Badge>)}</>}
			actions={<>
				{pi && s.state !== "closed" && <a class="button" href={`#/studies/${id}/edit`}>Change</a>}
				{(pi || is("security-officer")) && s.state !== "closed" && <Button kind="danger" onClick={() => setClosing(true)}>Close study</Button>}
			</>}>
			{s.state === "approved" && days < 0 && <Notice tone="bad" title="The basis has expired.">Nothing can be released or opened until the IRB records a new one.</Notice>}
			{s.state === "approved" && days >= 0 && days < 60 && <Notice tone="warn">The basis ends in {days} days, on {date(s.basis?.expires)}.</Notice>}
			<div class="columns">
				<div>
					<Section title="The study">
						{s.description && <p>{s.description}</p>}
						<Facts of={[
							["Principal investigator", s.pi], ["People", s.people.length ? s.people.join(", ") : "nobody else"], ["De-identification", words(s.profile)],
							["Tables", s.tables?.length ? s.tables.join(", ") : "all"], s.sponsor ? ["Sponsor", s.sponsor] : undefined, s.contact ? ["Contact", s.contact] : undefined, ["Registered", <When at={s.created} />], ["Releases", plural(s.releases, "release")],
						]} />
					</Section>
					<Section title="Cohort" actions={inside && s.state !== "closed" && <ActButton doing={count} busy="Starting …">Count patients</ActButton>}>
						<pre class="sql" tabIndex={0}>{s.cohort}</pre>
						<Failure error={count.error} />
						<JobProgress id={job} label="Count" done={j => <strong class="count-result">{patients(j.result)}</strong>} />
					</Section>
					<Releases study={s} releases={releases} />
				</div>
				<div>
					<Signatures study={s} reload={study.reload} />
					<Section title="Basis" actions={s.basis && <BasisBadge study={s} />}>
						{s.basis
							? <><Facts of={[["Kind", words(s.basis.kind)], ["Board", s.basis.board], ["Number", s.basis.number], ["Valid until", date(s.basis.expires)], ["Recorded by", s.basis.recorded_by ?? "–"], ["Recorded", <When at={s.basis.recorded} />]]} />
								<Digest label="Digest of the document (SHA-256)" value={s.basis.document_sha256} /><Copy text={s.basis.document_sha256} what="digest of the document" /></>
							: <p class="dim">Without a basis nobody may see data.</p>}
						{is("irb-member", "privacy-officer") && s.state !== "closed" && <BasisForm study={s} reload={study.reload} />}
					</Section>
				</div>
			</div>
			<Dialog title="Close this study?" open={closing} onClose={() => setClosing(false)} alert>
				<p>No more releases, no more cells; open cells end. This cannot be taken back.</p>
				<Failure error={close.error} />
				<div class="row"><Button onClick={() => setClosing(false)}>Keep it open</Button><ActButton doing={close} kind="danger">Close the study</ActButton></div>
			</Dialog>
		</Page>
	);
}
