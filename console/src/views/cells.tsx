// Cells: rooms to work in, with no way out but the airlock.

import { useState } from "preact/hooks";
import { api } from "../api";
import { bytes, number, words } from "../format";
import { useAct, useLoad, useNow } from "../hooks";
import { useHouse } from "../house";
import { ActButton, Ago, Badge, Button, Dialog, Facts, Failure, Field, Form, Id, Notice, Page, Section, Show, Table, When } from "../parts/ui";
import type { Cell, Worker } from "../types";
import { isMe } from "../work";

export function CellList() {
	const cells = useLoad(api.cells, [], 10_000);
	const studies = useLoad(api.studies, []);
	const title = (id: string): string => studies.data?.find(s => s.id === id)?.title ?? id.slice(0, 8);
	return (
		<Page title="Cells" lead="A cell has a release in it, tools, and no network. What leaves goes through the airlock.">
			<Section title="Cells">
				<Show of={cells}>
					{all => <Table caption="Cells" quiet rows={[...all].sort((a, b) => b.opened.localeCompare(a.opened))} keyOf={c => c.id} empty="No cell yet. Open one from a release of your study." columns={[
						{ head: "Cell", cell: c => <a href={`#/cells/${c.id}`}>{c.id.slice(0, 8)}</a>, row: true }, { head: "Study", cell: c => title(c.study) }, { head: "Who", cell: c => c.who },
						{ head: "State", cell: c => <Badge tone={c.state === "open" ? "ok" : "plain"}>{words(c.state)}</Badge> }, { head: "Opened", cell: c => <When at={c.opened} /> },
						{ head: "Ends", cell: c => c.state === "open" ? <Ago at={c.expires} /> : <When at={c.closed} /> },
					]} />}
				</Show>
			</Section>
		</Page>
	);
}

function Limit({ label, used, of, show }: { label: string; used: number | undefined; of: number | undefined; show: (n: number) => string }) {
	const share = used !== undefined && of ? used / of : 0;
	return (
		<div>
			<dt>{label}</dt>
			<dd>{used === undefined ? "–" : show(used)}{of ? <span class="dim"> of {show(of)}</span> : null}
				{of && used !== undefined ? <meter aria-label={`${label}: ${Math.round(share * 100)} %`} min={0} max={1} low={0.7} high={0.9} optimum={0} value={Math.min(1, share)} /> : null}
				{share > 0.9 && <Badge tone="warn">nearly full</Badge>}
			</dd>
		</div>
	);
}

/** the one-time ticket is good for a minute: the new tab is opened by the press of the button, and led there when the ticket has come */
function Enter({ cell }: { cell: Cell }) {
	const [link, setLink] = useState("");
	const enter = useAct(async () => {
		const tab = window.open("about:blank", "_blank");
		try {
			const { url } = await api.enterCell(cell.id);
			const at = new URL(url);
			if (at.protocol !== location.protocol) throw new Error("The address of the notebook is not one of this house.");
			if (tab) {
				tab.opener = null;
				tab.location.replace(at.href);
			} else setLink(at.href);
		} catch (e) {
			tab?.close();
			throw e;
		}
	});
	return (
		<>
			<ActButton doing={enter} kind="main" icon="away" busy="Opening …">Open notebook</ActButton>
			<Failure error={enter.error} />
			{link && <Notice>Your browser opens no new tab by itself: <a href={link} target="_blank" rel="noopener noreferrer" onClick={() => setLink("")}>go to the notebook</a> (good once, for a minute).</Notice>}
		</>
	);
}

function Workers({ cell, reload }: { cell: Cell; reload: () => void }) {
	const [script, setScript] = useState("");
	const { announce } = useHouse();
	const work = useAct(async () => { await api.work(cell.id, script); setScript(""); announce("The worker has started"); reload(); });
	const list = cell.live?.workers ?? [];
	return (
		<Section title="Workers">
			<Table<Worker> caption="Scripts that run in the cell without a notebook" quiet rows={list} keyOf={w => w.id} empty="No worker has run." columns={[
				{ head: "Worker", cell: w => <Id of={w.id} />, row: true }, { head: "State", cell: w => w.running ? <Badge tone="info">Running</Badge> : w.exit_status ? <Badge tone="bad">Failed</Badge> : <Badge tone="ok">Ended well</Badge> },
				{ head: "Exit", cell: w => number(w.exit_status), num: true }, { head: "Started", cell: w => <When at={w.started} /> }, { head: "Ended", cell: w => <When at={w.ended} /> },
			]} />
			<Form doing={work} label="Start a worker">
				<Field label="Script in the cell" value={script} onInput={setScript} required mono hint="A path below your folder, as work/fit.py" maxLength={200} />
				<Button type="submit" disabled={work.busy || !script}>Start a worker</Button>
			</Form>
		</Section>
	);
}

export function CellShow({ id }: { id: string }) {
	const { me, is } = useHouse();
	const cell = useLoad(s => api.cell(id, s), [id], 2000);
	const now = useNow();
	const [closing, setClosing] = useState(false);
	const close = useAct(async () => { await api.closeCell(id); setClosing(false); cell.reload(); });
	const c = cell.data;
	if (!c) return <Page title="Cell"><Show of={cell}>{() => null}</Show></Page>;
	const mine = isMe(me, c.who);
	const live = c.live ?? {};
	const refused = Object.entries(live.refused ?? {}).filter(r => r[1] > 0);
	const open = c.state === "open";
	const soon = open && c.expires !== undefined && Date.parse(c.expires) - now < 15 * 60_000;
	return (
		<Page title={`Cell ${c.id.slice(0, 8)}`} lead={<>of {c.who} · <Badge tone={open ? "ok" : "plain"}>{words(c.state)}</Badge></>}
			actions={open && <>
				{mine && <Enter cell={c} />}
				{mine && <a class="button" href={`#/airlock/new?cell=${c.id}`}>Ask the airlock</a>}
				{(mine || is("security-officer")) && <Button kind="danger" onClick={() => setClosing(true)}>Close cell</Button>}
			</>}>
			{open && c.usable === false && <Notice tone="bad" title="This cell may not be used now.">Its study is not valid, or you are no longer in it.</Notice>}
			{soon && <Notice tone="warn">This cell ends <Ago at={c.expires} />. What has not gone through the airlock ends with it.</Notice>}
			{open && live.staged === false && <Notice>The release is being put into the cell.</Notice>}
			<div class="columns">
				<Section title="Limits">
					<dl class="facts">
						<Limit label="Memory" used={live.memory_bytes} of={c.limits && c.limits.memory_mib * 1048576} show={bytes} />
						<Limit label="Disk" used={live.disk_bytes} of={c.limits && c.limits.disk_mib * 1048576} show={bytes} />
						<Limit label="Processes" used={live.processes} of={c.limits?.processes} show={number} />
						<div><dt>Processors</dt><dd>{c.limits?.cpus ?? "–"}</dd></div>
					</dl>
				</Section>
				<Section title="Ways out that were refused">
					<Table caption="Refused attempts by kind" quiet rows={refused} keyOf={r => r[0]} empty="None was tried." columns={[{ head: "Kind", cell: r => words(r[0]), row: true }, { head: "Times", cell: r => number(r[1]), num: true }]} />
					{refused.length > 0 && <p class="dim">Each is a record. Nothing has left: the cell has no network.</p>}
				</Section>
			</div>
			<Section title="What it is">
				<Facts of={[
					["Study", <a href={`#/studies/${c.study}`}>{c.study.slice(0, 8)}</a>], ["Release", <a href={`#/releases/${c.release}`}>{c.release.slice(0, 8)}</a>], ["Opened", <When at={c.opened} />],
					open ? ["Ends", <Ago at={c.expires} />] : ["Closed", <When at={c.closed} />], ["Last used", live.used ? <Ago at={live.used} /> : "–"], ["Id", <Id of={c.id} />],
				]} />
			</Section>
			{open && mine && <Workers cell={c} reload={cell.reload} />}
			<Dialog title="Close this cell?" open={closing} onClose={() => setClosing(false)} alert>
				<p>Its notebook and workers stop, and its key is destroyed: what was written in it cannot be read again by anybody. What you need has to go through the airlock first.</p>
				<Failure error={close.error} />
				<div class="row"><Button onClick={() => setClosing(false)}>Keep it open</Button><ActButton doing={close} kind="danger">Close the cell</ActButton></div>
			</Dialog>
		</Page>
	);
}
