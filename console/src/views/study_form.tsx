// A new study, or a change of one. A change of what signatures bind clears them: the page says so before.

import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { number } from "../format";
import { useAct, useLoad } from "../hooks";
import { ActButton, Button, Checks, Choice, Failure, Field, Form, JobProgress, Notice, Page, Section, Show } from "../parts/ui";
import { go } from "../router";
import type { Study } from "../types";

/** the views that a cohort may ask, with their columns */
const VIEWS: Record<string, string> = {
	person: "patient, gender, birth_date, deceased, race, ethnicity, language, marital, city, state, zip, mrn, family, given",
	visit: "visit, patient, class, type, start, \"end\", reason, facility, status",
	condition: "condition, patient, visit, system, code, display, onset, abated, recorded, status",
	drug: "drug, patient, visit, system, code, display, start, \"end\", dose, unit, route, status",
	measurement: "measurement, patient, visit, system, code, display, time, value, unit, value_text, value_code, low, high, status, category",
	procedure: "procedure, patient, visit, system, code, display, time, status",
	note: "note, patient, visit, type, time, text",
	device: "device, patient, type, identifier, time",
};
const TABLES = Object.keys(VIEWS);
const FIRST = "SELECT DISTINCT patient\nFROM condition\nWHERE code LIKE 'E11%'";

/** "10 patients", or how it was suppressed */
export const patients = (result: Record<string, unknown> | undefined): string => {
	const n = result?.["patients"];
	return typeof n === "number" ? `${number(n)} patients` : typeof n === "string" ? `${n} patients (small numbers are not told exactly)` : "no answer";
};

interface Draft { title: string; protocol: string; description: string; profile: string; people: string; cohort: string; sponsor: string; contact: string; tables: string[] }
const draftOf = (s: Study | undefined): Draft => ({
	title: s?.title ?? "", protocol: s?.protocol ?? "", description: s?.description ?? "", profile: s?.profile ?? "safe-harbor", people: s?.people.join(", ") ?? "",
	cohort: s?.cohort ?? FIRST, sponsor: s?.sponsor ?? "", contact: s?.contact ?? "", tables: s?.tables?.length ? s.tables : TABLES,
});

function Editor({ study }: { study: Study | undefined }) {
	const [draft, setDraft] = useState(() => draftOf(study));
	const [id, setId] = useState(study?.id ?? "");
	const [job, setJob] = useState("");
	const [saved, setSaved] = useState(JSON.stringify(draftOf(study)));
	const set = (key: keyof Draft) => (value: string): void => setDraft(d => ({ ...d, [key]: value }));
	const changed = JSON.stringify(draft) !== saved;
	const signed = (study?.signatures.length ?? 0) > 0;

	useEffect(() => {
		const ask = (e: BeforeUnloadEvent): void => { if (changed) e.preventDefault(); };
		addEventListener("beforeunload", ask);
		return () => removeEventListener("beforeunload", ask);
	}, [changed]);

	const store = async (): Promise<string> => {
		const body = { ...draft, people: draft.people.split(/[\s,]+/).filter(Boolean) };
		if (!id) {
			const made = (await api.addStudy(body)).study;
			setId(made);
			setSaved(JSON.stringify(draft));
			return made;
		}
		if (changed) await api.setStudy(id, body);
		setSaved(JSON.stringify(draft));
		return id;
	};
	const save = useAct(async () => { const made = await store(); setSaved(JSON.stringify(draft)); setTimeout(() => go(`/studies/${made}`)); });
	const count = useAct(async () => { setJob(""); const made = await store(); setJob((await api.count(made)).job); });
	const at = (field: string): string | undefined => [save.error, count.error].find(e => e?.field === field)?.message;

	return (
		<Form doing={save} label="Study">
			{signed && <Notice tone="warn">This study has signatures. They bind the title, the protocol, the people, the profile, the cohort and the tables: a change of these clears them and the approval.</Notice>}
			<div class="columns">
				<div>
					<Section title="What it is">
						<Field label="Title" value={draft.title} onInput={set("title")} required maxLength={200} error={at("title")} />
						<div class="fields">
							<Field label="Protocol number" value={draft.protocol} onInput={set("protocol")} required maxLength={64} error={at("protocol")} />
							<Choice label="Profile of de-identification" value={draft.profile} onInput={set("profile")} options={[["safe-harbor", "Safe Harbor"], ["limited-data-set", "Limited data set"]]} />
						</div>
						<Field label="Description" value={draft.description} onInput={set("description")} rows={3} optional maxLength={4000} error={at("description")} />
						<div class="fields">
							<Field label="Sponsor" value={draft.sponsor} onInput={set("sponsor")} optional maxLength={300} error={at("sponsor")} />
							<Field label="Contact" value={draft.contact} onInput={set("contact")} optional maxLength={300} hint="Patients are told it, when something is disclosed" error={at("contact")} />
						</div>
						<Field label="People" value={draft.people} onInput={set("people")} optional spellcheck={false} hint="Logins, with commas between them. You are in it as principal investigator." error={at("people")} />
					</Section>
					<Section title="Cohort">
						<Field label="One SELECT that yields a column patient" value={draft.cohort} onInput={set("cohort")} rows={12} mono required maxLength={8000} error={at("cohort")} />
						<div class="row">
							<ActButton doing={count} busy="Counting …" disabled={!draft.title || !draft.protocol}>{changed || !id ? "Save and count" : "Count"}</ActButton>
							<span class="dim">Counts of 1 to 10 are not told exactly.</span>
						</div>
						{count.error !== save.error && <Failure error={count.error} />}
						<JobProgress id={job} label="Count" done={j => <strong class="count-result">{patients(j.result)}</strong>} />
					</Section>
				</div>
				<div>
					<Section title="Tables of the release">
						<Checks legend="What the study needs, and no more" values={draft.tables} onInput={tables => setDraft(d => ({ ...d, tables: TABLES.filter(t => tables.includes(t)) }))} options={TABLES.map(t => [t, t] as const)} />
					</Section>
					<Section title="What a cohort may ask">
						<p class="dim">Read-only views of the pool. Times are TIMESTAMP, values DOUBLE, the rest text.</p>
						<dl class="views-list">{TABLES.map(t => <div key={t}><dt>{t}</dt><dd>{VIEWS[t]}</dd></div>)}</dl>
					</Section>
				</div>
			</div>
			<div class="row">
				<Button type="submit" kind="main" disabled={save.busy || draft.tables.length === 0}>{save.busy ? "Saving …" : "Save study"}</Button>
				<a class="button" href={id ? `#/studies/${id}` : "#/studies"}>{changed ? "Leave without saving" : "Back"}</a>
			</div>
		</Form>
	);
}

export function StudyForm({ id }: { id?: string }) {
	const study = useLoad(s => id ? api.study(id, s) : Promise.resolve(undefined), [id]);
	const title = id ? "Change the study" : "New study";
	return (
		<Page title={title} lead="The study is yours as principal investigator. Reviewers sign exactly what you save here." wide>
			{id ? <Show of={study}>{s => <Editor study={s} />}</Show> : <Editor study={undefined} />}
		</Page>
	);
}
