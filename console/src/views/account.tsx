// Oneself: roles, and the keys for S3 clients.

import { useState } from "preact/hooks";
import { api } from "../api";
import { words } from "../format";
import { useAct, useLoad } from "../hooks";
import { useHouse } from "../house";
import { Badge, Button, Checks, Choice, Copy, Facts, Failure, Form, Id, Page, Section, Show, Table, When } from "../parts/ui";
import type { Key, NewKey } from "../types";

export function Account() {
	const { me } = useHouse();
	const keys = useLoad(api.keys, []);
	const [days, setDays] = useState("90");
	const [options, setOptions] = useState<string[]>([]);
	const [made, setMade] = useState<NewKey>();
	const add = useAct(async () => { setMade(await api.addKey(Number(days), options.includes("read"))); keys.reload(); });
	const [ending, setEnding] = useState("");
	const revoke = useAct(async () => { await api.revokeKey(ending); keys.reload(); });
	return (
		<Page title={me.display || me.name} lead="Your roles, and your access keys for S3 clients.">
			<Section title="You"><Facts of={[["Login", me.name], ["E-mail", me.email ?? "–"], ["Roles", me.roles.map(words).join(", ")], ["Id", <Id of={me.id} />]]} /></Section>
			<Section title="Access keys">
				{made && <div class="secret" role="status"><p><strong>Shown once.</strong> The secret is nowhere else.</p>
					<Facts of={[["Access key", made.access_key], ["Secret", made.secret]]} /><div class="row"><Copy text={made.secret} what="secret" /><Button onClick={() => setMade(undefined)}>Done, hide it</Button></div></div>}
				<Failure error={revoke.error} />
				<Show of={keys}>
					{({ keys: list }) => <Table<Key> caption="Your access keys" quiet rows={list} keyOf={k => k.access_key} empty="You have no access key." columns={[
						{ head: "Key", cell: k => <code>{k.access_key}</code>, row: true }, { head: "State", cell: k => <Badge tone={k.state === "active" ? "ok" : "plain"}>{words(k.state)}</Badge> }, { head: "May", cell: k => k.read_only ? "read" : "read and write" },
						{ head: "Until", cell: k => <When at={k.expires} /> },
						{ head: "End", cell: k => k.state === "active" ? <Button kind="danger" label={`End key ${k.access_key}`} disabled={revoke.busy} onClick={() => { setEnding(k.access_key); setTimeout(revoke.run); }}>End</Button> : null },
					]} />}
				</Show>
				<Form doing={add} label="New access key">
					<div class="fields"><Choice label="Valid for" value={days} onInput={setDays} options={[["7", "7 days"], ["30", "30 days"], ["90", "90 days"], ["365", "365 days"]]} /></div>
					<Checks legend="Limits" values={options} onInput={setOptions} options={[["read", "Reading only"]]} />
					<Button type="submit" disabled={add.busy}>Make a new key</Button>
				</Form>
			</Section>
		</Page>
	);
}
