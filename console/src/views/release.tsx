// One release: what is in it, and what changed since the one before.

import { api } from "../api";
import { bytes, number, words } from "../format";
import { useAct, useLoad } from "../hooks";
import { useHouse } from "../house";
import { ActButton, Badge, Digest, Facts, Failure, Notice, Page, Section, Show, Table, When, saveAs } from "../parts/ui";
import { go } from "../router";
import type { Counts, Difference } from "../types";
import { isMe } from "../work";

const signed = (n: number, sign: string): string => n ? `${sign}${number(n)}` : "0";

function DifferenceTable({ difference }: { difference: Difference }) {
	const rows = Object.entries(difference).filter((e): e is [string, Counts] => typeof e[1] === "object");
	return <Table caption={`Rows that changed since version ${difference.since}`} rows={rows} keyOf={r => r[0]} empty="Nothing has changed." columns={[
		{ head: "Table", cell: r => r[0], row: true }, { head: "Added", cell: r => signed(r[1].added, "+"), num: true },
		{ head: "Removed", cell: r => signed(r[1].removed, "−"), num: true }, { head: "Changed", cell: r => number(r[1].changed), num: true },
	]} />;
}

export function ReleaseShow({ id }: { id: string }) {
	const { me } = useHouse();
	const release = useLoad(s => api.release(id, s), [id], 5000);
	const studyId = release.data?.study;
	const study = useLoad(s => studyId ? api.study(studyId, s) : Promise.resolve(undefined), [studyId]);
	const open = useAct(async () => { if (studyId) go(`/cells/${(await api.openCell(studyId, id)).cell}`); });
	const r = release.data;
	if (!r) return <Page title="Release"><Show of={release}>{() => null}</Show></Page>;
	const s = study.data;
	const inside = s !== undefined && (isMe(me, s.pi) || s.people.some(p => isMe(me, p)));
	return (
		<Page title={`Release, version ${r.version}`} lead={<>of <a href={`#/studies/${r.study}`}>{s?.title ?? "its study"}</a> · <Badge tone={r.state === "ready" ? "ok" : r.state === "making" ? "info" : "bad"}>{words(r.state)}</Badge></>}
			actions={inside && r.state === "ready" && s?.valid && <ActButton doing={open} kind="main" busy="Opening …">Open a cell with it</ActButton>}>
			<Failure error={open.error} />
			{r.state === "refused" && <Notice tone="bad" title="It was refused.">{words(r.reason ?? "no reason given")}</Notice>}
			<Section title="What it is">
				<Facts of={[
					["Patients", typeof r.patients === "number" ? number(r.patients) : r.patients ?? "–"], ["De-identification", words(r.profile)], ["Made", <When at={r.made} />],
					["Made by", r.made_by], ["From the pool at", number(r.pool)],
				]} />
				<Digest label="Digest of the manifest (SHA-256)" value={r.manifest_sha256} />
			</Section>
			<div class="columns even">
				<Section title="Rows">
					<Table caption="Rows by table" quiet rows={Object.entries(r.rows ?? {})} keyOf={x => x[0]} empty="No rows yet." columns={[{ head: "Table", cell: x => x[0], row: true }, { head: "Rows", cell: x => number(x[1]), num: true }]} />
				</Section>
				<Section title="Difference">
					{r.difference ? <DifferenceTable difference={r.difference} /> : <p class="empty">This is the first version.</p>}
				</Section>
			</div>
			<Section title="Files">
				<Table caption="Files of the release" quiet rows={r.files ?? []} keyOf={f => f.name} empty="No files yet." columns={[
					{ head: "File", cell: f => <code>{f.name}</code>, row: true }, { head: "Size", cell: f => bytes(f.size), num: true }, { head: "SHA-256", cell: f => <code class="id" title={f.sha256}>{f.sha256.slice(0, 16)}…</code> },
				]} />
			</Section>
			{r.manifest && <Section title="Manifest" actions={<button type="button" class="button quiet" onClick={() => saveAs(JSON.stringify(r.manifest, null, 1), `manifest-${r.id.slice(0, 8)}.json`, "application/json")}>Download</button>}>
				<details><summary>Show the whole manifest</summary><pre class="sql" tabIndex={0}>{JSON.stringify(r.manifest, null, 1)}</pre></details>
			</Section>}
		</Page>
	);
}
