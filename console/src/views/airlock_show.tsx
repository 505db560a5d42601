// One request. Left the files as they are, right what the checks found and the decision. A reviewer sees no other review before his own,
// and decides on a digest: the bytes that he saw are hashed here and compared with what the request names.

import { useEffect, useState } from "preact/hooks";
import { api, ApiError } from "../api";
import { bytes, plural, words } from "../format";
import { useAct, useLoad } from "../hooks";
import { useHouse } from "../house";
import { hex, sha256 } from "../merkle";
import { ActButton, Badge, Button, Dialog, Digest, Empty, Facts, Failure, Field, Form, JobProgress, Notice, Page, Radios, Section, Show, When, saveAs } from "../parts/ui";
import { dataUrl, show, type Shown } from "../preview";
import type { AirlockFile, AirlockRequest, Finding } from "../types";
import { AIRLOCK_TONE, decidable, isMe, rememberDecided, titleOf } from "../work";

interface Opened { bytes: Uint8Array<ArrayBuffer>; shown: Shown; same: boolean }

function Content({ shown, data, name }: { shown: Shown; data: Uint8Array; name: string }) {
	switch (shown.kind) {
	case "image": return <img src={dataUrl(data, shown.type)} alt={`Content of ${name}`} />;
	case "text": return <pre>{shown.text}{shown.more && "\n… (cut here; download the file for the rest)"}</pre>;
	case "table": {
		const [head = [], ...rows] = shown.rows;
		return (
			<table>
				<caption class="hidden">Content of {name}</caption>
				<thead><tr><th scope="col"><span class="hidden">Line</span></th>{head.map((h, i) => <th key={i} scope="col">{h}</th>)}</tr></thead>
				<tbody>{rows.map((r, i) => <tr key={i}><th scope="row" class="line-no">{i + 2}</th>{r.map((c, j) => <td key={j}>{c}</td>)}</tr>)}</tbody>
			</table>
		);
	}
	case "none": return <Empty>This file is neither text nor a PNG or JPEG image. Download it to look at it.</Empty>;
	}
}

function FileView({ request, file }: { request: AirlockRequest; file: AirlockFile }) {
	const [opened, setOpened] = useState<Opened>();
	const open = useAct(async () => {
		const data = await api.file(request.id, file.n);
		setOpened({ bytes: data, shown: show(data, file.name), same: hex(await sha256(data)) === file.sha256 });
	});
	useEffect(() => { setOpened(undefined); open.clear(); }, [file.n, file.sha256]);
	return (
		<div class="stack">
			<div class="row">
				<span><code>{file.name}</code> <span class="dim">{bytes(file.size)}{file.type && `, ${file.type}`}</span></span>
				{opened && file.sha256 !== undefined && (opened.same ? <Badge tone="ok">These bytes have the digest of the request</Badge> : <Badge tone="bad">Other bytes than the request names</Badge>)}
			</div>
			<Failure error={open.error} />
			{opened
				? <><div class="preview" role="region" tabIndex={0} aria-label={`Content of ${file.name}`}><Content shown={opened.shown} data={opened.bytes} name={file.name} /></div>
					<div class="row"><Button icon="down" onClick={() => saveAs(opened.bytes, file.name.split("/").pop() ?? "file")}>Download</Button></div></>
				: <div class="preview closed"><Empty><span class="open-file"><ActButton doing={open} busy="Opening …" kind="main">Look at this file</ActButton><span class="dim">Looking is a record.</span></span></Empty></div>}
			<Digest label="SHA-256" value={file.sha256} />
		</div>
	);
}

function Files({ request, readable }: { request: AirlockRequest; readable: boolean }) {
	const [at, setAt] = useState(0);
	const files = request.files ?? [];
	const file = files[at];
	const keys = (e: KeyboardEvent): void => {
		const step = e.key === "ArrowRight" ? 1 : e.key === "ArrowLeft" ? -1 : 0;
		if (!step) return;
		const next = (at + step + files.length) % files.length;
		setAt(next);
		(e.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus();
	};
	if (!file) return <Section title="Files"><Empty>There are no files in this request.</Empty></Section>;
	return (
		<Section title={plural(files.length, "file")}>
			{files.length > 1 && (
				<div class="tabs" role="tablist" aria-label="Files" onKeyDown={keys}>
					{files.map((f, i) => {
						const worst = (f.findings ?? []).some(x => x.severity === "block") ? "bad" : (f.findings ?? []).some(x => x.severity === "warn") ? "warn" : undefined;
						return <button key={f.n} type="button" role="tab" id={`tab-${f.n}`} aria-controls="file-panel" aria-selected={i === at} tabIndex={i === at ? 0 : -1} onClick={() => setAt(i)}>
							{f.name.split("/").pop()}{worst && <Badge tone={worst}>{(f.findings ?? []).length}</Badge>}</button>;
					})}
				</div>
			)}
			<div id="file-panel" role={files.length > 1 ? "tabpanel" : undefined} aria-labelledby={files.length > 1 ? `tab-${file.n}` : undefined}>
				{readable ? <FileView request={request} file={file} /> : <><Facts of={[["File", <code>{file.name}</code>], ["Size", bytes(file.size)]]} /><Digest label="SHA-256" value={file.sha256} /></>}
			</div>
		</Section>
	);
}

const SEVERITY = { block: ["bad", "Blocking"], warn: ["warn", "Look"], note: ["plain", "Note"] } as const;

function FindingsOf({ request }: { request: AirlockRequest }) {
	const all = (request.files ?? []).flatMap(f => (f.findings ?? []).map(x => ({ ...x, file: f.name })));
	const order: Finding["severity"][] = ["block", "warn", "note"];
	return (
		<Section title="What the checks found">
			{request.state === "scanning" ? <p class="loading">The checks are at work.</p> : all.length === 0 ? <Empty>{request.state === "draft" ? "Not yet checked." : "Nothing."}</Empty> : (
				<ul class="findings">
					{all.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity)).map((x, i) => (
						<li key={i}><Badge tone={SEVERITY[x.severity][0]}>{SEVERITY[x.severity][1]}</Badge><span>{words(x.check)}{x.count ? ` (${x.count})` : ""}</span>
							<span class="dim">{x.file.split("/").pop()}{x.place && `, ${x.place}`}</span></li>
					))}
				</ul>
			)}
		</Section>
	);
}

function Decide({ request, kind, done }: { request: AirlockRequest; kind: "review" | "consolidate"; done: () => void }) {
	const { announce } = useHouse();
	const [decision, setDecision] = useState("");
	const [comment, setComment] = useState("");
	const act = useAct(async () => {
		const body = { decision, comment, digest: request.digest ?? "" };
		if (kind === "review") await api.review(request.id, body);
		else await api.consolidate(request.id, body);
		announce("Your decision is recorded");
		done();
	});
	const verb: Record<string, string> = { approve: "Approve this digest", return: "Return to its author", reject: "Reject this digest" };
	return (
		<Section title={kind === "review" ? "Your decision" : "The third decision"}>
			<Form doing={act} label="Decision">
				<p class="dim">{kind === "review" ? "You do not see other reviews before your own, and the author does not choose the reviewer." : "Two reviewers disagree; yours decides."}</p>
				<Radios legend="Decision" value={decision} onInput={setDecision} options={[["approve", "Approve"], ["return", "Return"], ["reject", "Reject"]]} />
				<Field label="Comment" value={comment} onInput={setComment} rows={4} required={decision !== "" && decision !== "approve"} optional={decision === "approve"} maxLength={1000} hint="Write no patient's data here." />
				<Digest label="You decide on exactly this digest (SHA-256 over all files)" value={request.digest} />
				<p><Button type="submit" kind={decision === "reject" ? "danger" : "main"} disabled={!decision || !request.digest || act.busy}>{act.busy ? "Recording …" : verb[decision] ?? "Choose a decision"}</Button></p>
			</Form>
		</Section>
	);
}

const STAGES: [string, string[]][] = [
	["Submitted", ["draft"]], ["Checked by the house", ["scanning", "blocked"]], ["Two reviews", ["review", "consolidating", "returned"]], ["Decided", ["approved", "rejected"]], ["Released", ["releasing", "released"]],
];

function Progress({ request }: { request: AirlockRequest }) {
	const at = STAGES.findIndex(([, states]) => states.includes(request.state));
	const ended = ["withdrawn", "expired", "recalled", "rejected"].includes(request.state);
	const times: Record<number, string | undefined> = { 0: request.submitted, 3: request.decided, 4: request.released };
	return (
		<Section title="Where it stands" actions={<Badge tone={AIRLOCK_TONE[request.state]}>{words(request.state)}</Badge>}>
			<ol class="steps">
				{STAGES.map(([name], i) => {
					const done = request.state === "released" || request.state === "recalled" || (at > i && at >= 0) || (request.state === "approved" && i === 3);
					const stopped = (request.state === "rejected" && i === 3) || (request.state === "blocked" && i === 1);
					return <li key={name} class={stopped ? "refused" : done ? "done" : at === i && !ended ? "next" : ""}><div class="step-head"><strong>{name}</strong><span class="dim">{times[i] && <When at={times[i]} />}</span></div></li>;
				})}
			</ol>
		</Section>
	);
}

function Reviews({ request }: { request: AirlockRequest }) {
	const reviews = request.reviews ?? [];
	if (reviews.length === 0) return null;
	return (
		<Section title="Reviews">
			<ul class="findings">
				{reviews.map(v => <li key={v.who + v.at}><Badge tone={v.decision === "approve" ? "ok" : v.decision === "return" ? "warn" : "bad"}>{words(v.decision)}</Badge><span>{v.who}, <When at={v.at} /></span>{v.comment && <p>{v.comment}</p>}</li>)}
			</ul>
		</Section>
	);
}

function Upload({ request, reload }: { request: AirlockRequest; reload: () => void }) {
	const [chosen, setChosen] = useState<Record<number, File>>({});
	const [job, setJob] = useState("");
	const send = useAct(async () => {
		for (const f of request.files ?? []) {
			const file = chosen[f.n];
			if (!file) throw new ApiError(0, "Missing", `Choose ${f.name} first.`);
			if (hex(await sha256(new Uint8Array(await file.arrayBuffer()))) !== f.sha256) throw new ApiError(0, "Other", `${file.name} is not the file that the request names.`);
			await api.upload(request.id, f.n, file);
		}
		setJob((await api.submission(request.id)).job);
		reload();
	});
	return (
		<Section title="Hand in the files">
			<Form doing={send} label="Files">
				{(request.files ?? []).map(f => <div class="field" key={f.n}><label for={`file-${f.n}`}>{f.name} <span class="dim">{bytes(f.size)}</span></label>
					<input id={`file-${f.n}`} type="file" required onChange={e => { const file = e.currentTarget.files?.[0]; if (file) setChosen(c => ({ ...c, [f.n]: file })); }} /></div>)}
				<Button type="submit" kind="main" disabled={send.busy}>{send.busy ? "Handing in …" : "Hand in"}</Button>
			</Form>
			<JobProgress id={job} label="Checks" ended={reload} />
		</Section>
	);
}

function Actions({ request, reload }: { request: AirlockRequest; reload: () => void }) {
	const { me, is } = useHouse();
	const [job, setJob] = useState("");
	const [asking, setAsking] = useState<"withdraw" | "recall">();
	const own = isMe(me, request.who);
	const release = useAct(async () => { setJob((await api.releaseOut(request.id)).job); reload(); });
	const end = useAct(async () => { if (asking === "withdraw") await api.withdraw(request.id); else await api.recall(request.id); setAsking(undefined); reload(); });
	const withdrawable = own && ["draft", "scanning", "blocked", "review", "consolidating", "returned", "approved"].includes(request.state);
	const recallable = is("privacy-officer", "security-officer") && request.state === "released";
	return {
		buttons: <>
			{own && request.state === "approved" && <ActButton doing={release} kind="main" busy="Starting …">{request.direction === "out" ? "Release it" : "Bring it in"}</ActButton>}
			{withdrawable && <Button onClick={() => setAsking("withdraw")}>Withdraw</Button>}
			{recallable && <Button kind="danger" onClick={() => setAsking("recall")}>Recall</Button>}
		</>,
		below: <>
			<Failure error={release.error} />
			<JobProgress id={job} label="Release" ended={reload} />
			<Dialog title={asking === "recall" ? "Recall what was released?" : "Withdraw this request?"} open={asking !== undefined} onClose={() => setAsking(undefined)} alert>
				<p>{asking === "recall" ? "Nobody can download it from here any more, and the recall is recorded. What has already left has to be asked back from its recipient." : "It ends here. A new request can be made at any time."}</p>
				<Failure error={end.error} />
				<div class="row"><Button onClick={() => setAsking(undefined)}>Leave it</Button><ActButton doing={end} kind="danger">{asking === "recall" ? "Recall" : "Withdraw"}</ActButton></div>
			</Dialog>
		</>,
	};
}

function Loaded({ request, reload }: { request: AirlockRequest; reload: () => void }) {
	const { me } = useHouse();
	const decide = decidable(me, request);
	const actions = Actions({ request, reload });
	rememberDecided(me, request);
	const reviewed = request.reviews?.some(v => isMe(me, v.who)) === true;
	const readable = decide !== null || reviewed && (request.state === "review" || request.state === "consolidating") || request.state === "released";
	return (
		<Page title={titleOf(request)} wide lead={<>{request.direction === "out" ? "Out of" : "Into"} cell {request.cell.slice(0, 8)} · by {request.who} · <Badge tone={AIRLOCK_TONE[request.state]}>{words(request.state)}</Badge></>} actions={actions.buttons}>
			{actions.below}
			{request.state === "returned" && <Notice tone="warn" title="Returned.">A changed byte is a new request: change the files in the cell, then ask again.</Notice>}
			{request.state === "blocked" && <Notice tone="bad" title="Blocked by the checks.">{request.reason ? `${words(request.reason)}. ` : ""}Nobody needs to look at it: change what was found, then ask again.</Notice>}
			<div class="review">
				<div>
					{request.state === "draft" && request.direction === "in" && isMe(me, request.who) && <Upload request={request} reload={reload} />}
					<Files request={request} readable={readable} />
					<Section title="What it is for">
						{request.context && <p class="prose">{request.context}</p>}
						<Facts of={[
							["Purpose", <span class="prose">{request.purpose || "–"}</span>], request.recipient?.name !== undefined && ["Recipient", <>{request.recipient.name}<br /><span class="dim prose">{request.recipient.address}</span></>],
							!!request.period && ["Period of the data", request.period],
							["Study", <a href={`#/studies/${request.study}`}>{request.study.slice(0, 8)}</a>], ["Submitted", <When at={request.submitted ?? request.created} />],
						]} />
					</Section>
				</div>
				<div class="review-side">
					{decide && <Decide request={request} kind={decide} done={reload} />}
					{reviewed && request.state === "review" && <Notice tone="ok" title="Your review is recorded.">A second reviewer decides without seeing it.</Notice>}
					<FindingsOf request={request} />
					<Reviews request={request} />
					<Progress request={request} />
				</div>
			</div>
		</Page>
	);
}

export function AirlockShow({ id }: { id: string }) {
	const request = useLoad(s => api.request(id, s), [id], 5000);
	return request.data ? <Loaded request={request.data} reload={request.reload} /> : <Page title="Request"><Show of={request}>{() => null}</Show></Page>;
}
