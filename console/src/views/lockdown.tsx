// The one big control of the house: everything closed, at once. Opening it again takes two officers.

import { useState } from "preact/hooks";
import { api } from "../api";
import { useAct } from "../hooks";
import { useHouse } from "../house";
import { Icon } from "../parts/icon";
import { ActButton, Ago, Button, Dialog, Failure, Field, Notice, Page } from "../parts/ui";

const WORD = "lock down";

export function LockdownView() {
	const { lock, reloadLock, announce } = useHouse();
	const [asking, setAsking] = useState(false);
	const [word, setWord] = useState("");
	const [consent, setConsent] = useState("");
	const close = (): void => { setAsking(false); setWord(""); };
	const on = useAct(async () => { await api.lock(); announce("The house is locked down"); close(); reloadLock(); });
	const lift = useAct(async () => {
		const said = await api.lift();
		setConsent(said.consent ? "Your consent is recorded. Now a second person has to lift it within 15 minutes; one of the two must be a security officer." : "");
		reloadLock();
	});
	const locked = lock?.locked === true;
	return (
		<Page title="Lock-down" lead="For the moment when something is wrong: nothing is read or written any more, within a second.">
			<section class={`card lock-card ${locked ? "is-locked" : ""}`} aria-labelledby="lock-state">
				<span class="lock-sign"><Icon name={locked ? "lockdown" : "open"} /></span>
				<h2 id="lock-state" aria-live="polite">{lock === undefined ? "Asking …" : locked ? "The house is locked down" : "The house is open"}</h2>
				{locked
					? <p>Since <Ago at={lock?.since} />{lock?.by && `, by ${lock.by}`}. Requests for data are refused, transfers have stopped, cells stand still. People can sign in, look at the record, revoke, and lift this.</p>
					: <p>Locking down ends all sessions, refuses each request for data and stops transfers that are under way. You will have to sign in again. A restart does not lift it: that takes two officers.</p>}
				{consent && <Notice tone="info">{consent}</Notice>}
				<Failure error={lift.error} />
				<div class="row">
					{locked ? <ActButton doing={lift} busy="Asking …">Consent to lift it</ActButton> : <Button kind="danger" icon="lockdown" disabled={lock === undefined} onClick={() => setAsking(true)}>Lock down …</Button>}
				</div>
			</section>
			<Dialog title="Lock the whole house down?" open={asking} onClose={close} alert>
				<p>Everybody's work stops at once, also what runs in cells. Nothing is lost. Lifting it takes two officers.</p>
				<form onSubmit={e => { e.preventDefault(); if (word.trim().toLowerCase() === WORD) on.run(); }}>
					<Field label={`Write “${WORD}” to confirm`} value={word} onInput={setWord} autoComplete="off" />
					<Failure error={on.error} />
					<div class="row"><Button onClick={close}>Cancel</Button><Button type="submit" kind="danger" disabled={word.trim().toLowerCase() !== WORD || on.busy}>Lock down now</Button></div>
				</form>
			</Dialog>
		</Page>
	);
}
