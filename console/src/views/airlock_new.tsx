// A new request: which files, what they are, what for, to whom.

import { useState } from "preact/hooks";
import { api } from "../api";
import { bytes } from "../format";
import { useAct, useLoad } from "../hooks";
import { useHouse } from "../house";
import { hex, sha256 } from "../merkle";
import { Button, Choice, Field, Form, Notice, Page, Section, Show, Table } from "../parts/ui";
import { go, here } from "../router";
import { isMe } from "../work";

interface Incoming { name: string; size: number; sha256: string }

export function AirlockNew() {
	const { me } = useHouse();
	const query = here().query;
	const direction = query.get("direction") === "in" ? "in" : "out";
	const cells = useLoad(api.cells, []);
	const [r, set] = useState({ cell: query.get("cell") ?? "", files: "", context: "", purpose: "", recipient: "", address: "", period: "" });
	const [incoming, setIncoming] = useState<Incoming[]>([]);
	const put = (key: keyof typeof r) => (value: string): void => set(old => ({ ...old, [key]: value }));
	const open = (cells.data ?? []).filter(c => c.state === "open" && isMe(me, c.who));
	const cell = r.cell || open[0]?.id || "";

	const submit = useAct(async () => {
		const made = await api.submit({
			cell, direction, files: direction === "out" ? r.files.split("\n").map(f => f.trim()).filter(Boolean) : incoming, context: r.context, purpose: r.purpose,
			...(r.recipient ? { recipient: { name: r.recipient, address: r.address } } : {}), ...(r.period ? { period: r.period } : {}),
		});
		go(`/airlock/${made.request}`);
	});
	const choose = async (files: FileList | null): Promise<void> => {
		setIncoming(await Promise.all([...files ?? []].map(async f => ({ name: f.name, size: f.size, sha256: hex(await sha256(new Uint8Array(await f.arrayBuffer()))) }))));
	};
	return (
		<Page title={direction === "out" ? "Ask to take out" : "Ask to bring in"} lead="The house checks first, then two reviewers decide. Say enough that somebody who does not know your study can.">
			<Show of={cells}>
				{() => open.length === 0 ? <Notice tone="plain">You have no open cell.</Notice> : (
					<Form doing={submit} label="Request">
						<Section title="Files">
							<Choice label="Cell" value={cell} onInput={put("cell")} options={open.map(c => [c.id, `Cell ${c.id.slice(0, 8)}, study ${c.study.slice(0, 8)}`] as const)} />
							{direction === "out"
								? <Field label="Files in the cell, one a line" value={r.files} onInput={put("files")} rows={4} mono required hint="Paths below your folder, as results/table1.csv. They are copied out of your reach now, so that what is reviewed is what you hand in." />
								: <><div class="field"><label for="incoming">Files of yours</label><input id="incoming" type="file" multiple required onChange={e => void choose(e.currentTarget.files)} /><p class="hint">Their digests are computed here. You hand the files in on the next page.</p></div>
									{incoming.length > 0 && <Table caption="Chosen files" rows={incoming} keyOf={f => f.name} columns={[{ head: "File", cell: f => f.name, row: true }, { head: "Size", cell: f => bytes(f.size), num: true }, { head: "SHA-256", cell: f => <code>{f.sha256.slice(0, 16)}…</code> }]} />}</>}
						</Section>
						<Section title="What for">
							<Field label="What it is" value={r.context} onInput={put("context")} required rows={3} maxLength={2000} hint="As: table 1 and figure 2 of the manuscript, all counts above 10" />
							<Field label="Purpose" value={r.purpose} onInput={put("purpose")} required maxLength={1000} rows={2} hint="Its first line names the request in lists" />
							{direction === "out" && <div class="fields">
								<Field label="Recipient" value={r.recipient} onInput={put("recipient")} required maxLength={200} />
								<Field label="Recipient's address" value={r.address} onInput={put("address")} required maxLength={400} />
							</div>}
							<Field label="Period that the data cover" value={r.period} onInput={put("period")} optional maxLength={100} />
						</Section>
						<div class="row"><Button type="submit" kind="main" disabled={submit.busy || (direction === "in" && incoming.length === 0)}>{submit.busy ? "Asking …" : direction === "out" ? "Hand it to the airlock" : "Make the request"}</Button><a class="button" href="#/airlock">Cancel</a></div>
					</Form>
				)}
			</Show>
		</Page>
	);
}
