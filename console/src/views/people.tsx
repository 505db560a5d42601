// Who may come in. Adding and revoking is the administrator's; officers and auditors see the list.

import { useState } from "preact/hooks";
import { api } from "../api";
import { words } from "../format";
import { useAct, useLoad } from "../hooks";
import { useHouse } from "../house";
import { ActButton, Badge, Button, Checks, Copy, Dialog, Facts, Failure, Field, Form, Page, Section, Show, Table, When } from "../parts/ui";
import type { LoginSecrets, Person } from "../types";

const ROLES = ["principal-investigator", "researcher", "it-reviewer", "management-reviewer", "research-reviewer", "irb-member", "output-checker", "privacy-officer", "security-officer", "auditor",
	"data-steward", "clinician", "administrator"] as const;

function Secrets({ of, close }: { of: LoginSecrets; close: () => void }) {
	return (
		<div class="secret" role="status">
			<p><strong>Shown once.</strong> Hand these to {of.display || of.name} in person. They are nowhere else.</p>
			<Facts of={[["Name", of.name], of.password !== undefined && ["Password", of.password], of.totp_secret !== undefined && ["Secret of the authenticator app", of.totp_secret]]} />
			<div class="row">{of.totp_uri && <Copy text={of.totp_uri} what="otpauth address" />}<Button onClick={close}>Done, hide them</Button></div>
		</div>
	);
}

function Add({ reload }: { reload: () => void }) {
	const [p, set] = useState({ name: "", display: "", email: "" });
	const [roles, setRoles] = useState<string[]>([]);
	const [made, setMade] = useState<LoginSecrets>();
	const put = (key: keyof typeof p) => (value: string): void => set(old => ({ ...old, [key]: value }));
	const add = useAct(async () => {
		setMade(await api.addUser({ name: p.name, roles, ...(p.display ? { display: p.display } : {}), ...(p.email ? { email: p.email } : {}) }));
		set({ name: "", display: "", email: "" });
		setRoles([]);
		reload();
	});
	return (
		<Section title="Add a person">
			{made && <Secrets of={made} close={() => setMade(undefined)} />}
			<Form doing={add} label="Add a person">
				<div class="fields">
					<Field label="Login" value={p.name} onInput={put("name")} required pattern="[a-z][a-z0-9._$\-]{1,31}" spellcheck={false} autoComplete="off" hint="Small letters and digits" error={add.error?.field === "name" ? add.error.message : undefined} />
					<Field label="Name" value={p.display} onInput={put("display")} optional autoComplete="off" maxLength={100} />
					<Field label="E-mail" type="email" value={p.email} onInput={put("email")} optional autoComplete="off" />
				</div>
				<Checks legend="Roles (the house refuses those that may not go together)" values={roles} onInput={setRoles} options={ROLES.map(r => [r, words(r)] as const)} />
				<Button type="submit" kind="main" disabled={add.busy || roles.length === 0}>{add.busy ? "Adding …" : "Add"}</Button>
			</Form>
		</Section>
	);
}

export function People() {
	const { me, is, announce } = useHouse();
	const users = useLoad(api.users, []);
	const [find, setFind] = useState("");
	const [victim, setVictim] = useState<Person>();
	const revoke = useAct(async () => {
		if (!victim) return;
		await api.revokeUser(victim.name);
		announce(`${victim.name} is revoked`);
		setVictim(undefined);
		users.reload();
	});
	const fits = (p: Person): boolean => `${p.name} ${p.display ?? ""} ${p.roles.join(" ")}`.toLowerCase().includes(find.toLowerCase());
	const may = is("administrator", "security-officer");
	return (
		<Page title="People" lead="Nobody is ever deleted: records name people. Who is revoked loses keys, sessions, password and certificates at once." wide>
			<Section title="Everybody" actions={<Field label="Find" value={find} onInput={setFind} type="search" />}>
				<Show of={users}>
					{all => <Table caption="People and services" quiet rows={all.filter(fits)} keyOf={p => p.id} empty="Nobody fits." columns={[
						{ head: "Login", cell: p => p.name, row: true }, { head: "Name", cell: p => p.display ?? "" }, { head: "Roles", cell: p => p.roles.map(words).join(", ") },
						{ head: "State", cell: p => p.state === "revoked" ? <Badge tone="bad">Revoked</Badge> : <Badge tone="ok">Active</Badge> }, { head: "Since", cell: p => <When at={p.state === "revoked" ? p.revoked : p.created} /> },
						...(may ? [{ head: "Revoke", cell: (p: Person) => p.state !== "revoked" && p.id !== me.id ? <Button kind="danger" label={`Revoke ${p.name}`} onClick={() => setVictim(p)}>Revoke</Button> : null }] : []),
					]} />}
				</Show>
			</Section>
			{users.data && is("administrator") && <Add reload={users.reload} />}
			<Dialog title={`Revoke ${victim?.display || victim?.name || ""}?`} open={victim !== undefined} onClose={() => setVictim(undefined)} alert>
				<p>Access ends at once: sessions, keys, password and certificates. Open cells of this person stop. The person stays in the records.</p>
				<Failure error={revoke.error} />
				<div class="row"><Button onClick={() => setVictim(undefined)}>Cancel</Button><ActButton doing={revoke} kind="danger">Revoke now</ActButton></div>
			</Dialog>
		</Page>
	);
}
