// One record and the proof that it is in the log, computed in this browser, each hash shown.

import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { number } from "../format";
import { useLoad } from "../hooks";
import { useHouse } from "../house";
import { verifyProof, verifySignature, Wrong, type Signed, type Verified } from "../merkle";
import { Badge, Button, Copy, Facts, Field, Notice, Page, Section, Show, saveAs } from "../parts/ui";
import type { AuditProof } from "../types";

type Outcome = { ok: Verified } | { wrong: string };

const SIGNED: Record<Signed, [tone: "ok" | "bad" | "warn", text: string]> = {
	yes: ["ok", "The head is signed by this key."], no: ["bad", "The signature is wrong: this head is not the log's."],
	"other-key": ["bad", "The head is not signed by this key: it is another log's, or the key is."],
	cannot: ["warn", "This browser cannot verify Ed25519. Use cloister audit verify, or a newer browser."],
};

function Steps({ verified }: { verified: Verified }) {
	return (
		<ol class="hash-steps" aria-label="Hashes from the record to the signed root">
			<li><span class="level">Leaf</span><span>SHA-256 of 00 and the record's bytes</span><code class="result">{verified.leaf}</code></li>
			{verified.steps.map((s, i) => {
				const last = i === verified.steps.length - 1;
				return (
					<li key={i} class={last ? "root" : undefined}>
						<span class="level">{last ? "Root" : i + 1}</span>
						<span>SHA-256 of 01, {s.side === "left" ? "the hash given (left), the hash so far (right)" : "the hash so far (left), the hash given (right)"}</span>
						<span class="dim">given <code>{s.sibling}</code></span>
						<code class="result">{s.result}</code>
					</li>
				);
			})}
		</ol>
	);
}

function Checked({ proof }: { proof: AuditProof }) {
	const { announce } = useHouse();
	const [outcome, setOutcome] = useState<Outcome>();
	const [vkey, setVkey] = useState("");
	const [signed, setSigned] = useState<Signed | string>();

	useEffect(() => {
		let alive = true;
		verifyProof(proof.proof, proof.record)
			.then((ok): Outcome => ok.index === proof.index ? { ok } : { wrong: "The proof is another record's." }, (e: unknown): Outcome => ({ wrong: e instanceof Wrong ? e.message : "The proof could not be read." }))
			.then(o => { if (alive) { setOutcome(o); announce("ok" in o ? "The proof verifies" : "The proof does not verify"); } });
		return () => { alive = false; };
	}, [proof]);
	useEffect(() => {
		let alive = true;
		setSigned(undefined);
		if (vkey.trim() && outcome && "ok" in outcome) {
			verifySignature(outcome.ok.checkpoint, vkey).then(s => { if (alive) setSigned(s); }, (e: unknown) => { if (alive) setSigned(e instanceof Wrong ? e.message : "This is no verifier key."); });
		}
		return () => { alive = false; };
	}, [vkey, outcome]);

	if (!outcome) return <p class="loading" aria-busy="true">Checking the proof …</p>;
	const said = typeof signed === "string" && signed in SIGNED ? SIGNED[signed as Signed] : signed ? ["bad", signed] as const : undefined;
	return (
		<>
			{("ok" in outcome
				? <Notice tone="ok" title="The proof verifies.">{number(outcome.ok.steps.length)} hashes lead from this record to the root of {number(outcome.ok.checkpoint.size)} records. Computed here, in your browser. Who signed that root is beside it.</Notice>
				: <Notice tone="bad" title="The proof does not verify.">{outcome.wrong} Keep this page and tell the auditor.</Notice>)}
			<div class="columns">
				<div>
					<Section title="The record, byte for byte" actions={<Copy text={proof.record} what="record" />}>
						<pre class="record" tabIndex={0}>{proof.record}</pre>
					</Section>
					{"ok" in outcome && <Section title="From the record to the root"><Steps verified={outcome.ok} /></Section>}
				</div>
				<div>
					{"ok" in outcome && (
						<Section title="The signed head">
							<Facts of={[["Log", <code>{outcome.ok.checkpoint.origin}</code>], ["Records", number(outcome.ok.checkpoint.size)], ["Signatures", outcome.ok.checkpoint.signatures.map(s => `${s.name} (${s.keyId})`).join(", ")]]} />
							<Field label="Verifier key" value={vkey} onInput={setVkey} rows={3} mono optional hint="The line of ledger.vkey that you keep where the operator cannot change it. It stays in this page." />
							{said ? <Notice tone={said[0]}>{said[1]}</Notice> : <Badge tone="plain">Signature not checked: no key given</Badge>}
						</Section>
					)}
					<Section title="Take it with you">
						<p class="dim">With these two files and the verifier key anybody can verify it offline, with <code>cloister audit verify</code> or a public tool for C2SP tlog-proof.</p>
						<div class="row">
							<Button icon="down" onClick={() => saveAs(proof.record, `record-${proof.index}.json`, "application/json")}>Record</Button>
							<Button icon="down" onClick={() => saveAs(proof.proof, `record-${proof.index}.tlog-proof`, "text/plain")}>Proof</Button>
						</div>
					</Section>
				</div>
			</div>
		</>
	);
}

export function Proof({ n }: { n: string }) {
	const proof = useLoad(s => api.auditProof(Number(n), s), [n]);
	return (
		<Page title={`Record ${/^\d+$/.test(n) ? number(Number(n)) : ""}`} lead={<><a href="#/ledger">Ledger</a> · a proof of inclusion (RFC 6962), checked and not believed</>} wide>
			<Show of={proof}>{p => <Checked proof={p} />}</Show>
		</Page>
	);
}

