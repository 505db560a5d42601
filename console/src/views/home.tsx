// Each role sees its own work first, then the house.

import { api } from "../api";
import { ago, bytes, daysUntil, number, plural, span, words } from "../format";
import { useLoad } from "../hooks";
import { useHouse } from "../house";
import { Diagram } from "../parts/diagram";
import { Badge, Page, Section, Show, Stat } from "../parts/ui";
import type { Work } from "../use_work";
import { isMe, STUDY_TONE } from "../work";

const greeting = (hour: number): string => hour < 5 ? "Good evening" : hour < 12 ? "Good morning" : hour < 18 ? "Good afternoon" : "Good evening";

function Waiting({ work }: { work: Work }) {
	return (
		<Section title="Waits for you">
			{work.items.length === 0
				? <p class="empty">{work.ready ? "Nothing waits for you." : "Loading …"}</p>
				: <ul class="work">
					{work.items.slice(0, 12).map(i => (
						<li key={i.href}><a href={i.href}><strong>{i.title}</strong><span class="dim">{i.note}</span><Badge tone={i.tone}>{i.badge}</Badge></a></li>
					))}
				</ul>}
		</Section>
	);
}

function MyStudies({ work }: { work: Work }) {
	const { me } = useHouse();
	const mine = work.studies.filter(s => isMe(me, s.pi) || s.people.some(p => isMe(me, p)));
	return (
		<Section title="Your studies" actions={me.roles.includes("principal-investigator") && <a class="button" href="#/studies/new">New study</a>}>
			{mine.length === 0 ? <p class="empty">{work.ready ? "You are in no study yet." : "Loading …"}</p> : (
				<ul class="work">
					{mine.map(s => (
						<li key={s.id}><a href={`#/studies/${s.id}`}><strong>{s.title}</strong>
							<span class="dim">{s.basis ? `basis until ${s.basis.expires}` : "no basis"}, {plural(s.releases, "release")}</span>
							<Badge tone={STUDY_TONE[s.state]}>{words(s.state)}</Badge></a></li>
					))}
				</ul>
			)}
		</Section>
	);
}

function HealthStats() {
	const status = useLoad(api.status, [], 10_000);
	const flow = useLoad(api.flow, [], 5000);
	return (
		<Show of={status}>
			{s => {
				const silent = s.processes.filter(p => !p.answers).length;
				const bad = s.vault?.blobsBad ?? 0;
				const quarantined = Object.values(flow.data?.pool.quarantined ?? {}).reduce((a, b) => a + b, 0);
				return (
					<div class="stats">
						<Stat label="Processes" value={silent ? `${silent} silent` : "All answer"} tone={silent ? "bad" : "plain"} note={`up ${span(s.uptimeSeconds)}`} href="#/health" />
						{flow.data && <Stat label="Feeds" value={number(flow.data.feeds.length)} note={`${number(flow.data.landing.newest - flow.data.landing.done)} segments waiting`} href="#/feeds" />}
						{flow.data && <Stat label="Quarantine" value={number(quarantined)} tone={quarantined ? "warn" : "plain"} note="kept aside, with a reason" href="#/feeds" />}
						{s.vault && <Stat label="Disk free" value={bytes(s.vault.diskFreeBytes)} note={bad ? `${bad} damaged blobs` : "no damaged blob"} tone={bad ? "bad" : "plain"} href="#/health" />}
						{s.ledger && <Stat label="Records" value={number(s.ledger.records)} note={bytes(s.ledger.bytes)} />}
					</div>
				);
			}}
		</Show>
	);
}

function LedgerStats() {
	const head = useLoad(api.auditHead, [], 10_000);
	return (
		<Show of={head}>
			{h => (
				<div class="stats">
					<Stat label="Records under a signed head" value={number(h.size)} note="append only" href="#/ledger" />
					<Stat label="Search" value="Who, what, when" note="the question is recorded too" href="#/ledger" />
				</div>
			)}
		</Show>
	);
}

function OfficerStats({ work }: { work: Work }) {
	const soon = work.studies.filter(s => s.state === "approved" && s.basis && daysUntil(s.basis.expires) < 60).length;
	return (
		<div class="stats">
			<Stat label="Studies approved" value={number(work.studies.filter(s => s.valid).length)} note={`of ${work.studies.length}`} href="#/studies" />
			<Stat label="Basis ends within 60 days" value={number(soon)} tone={soon ? "warn" : "plain"} href="#/studies" />
			<Stat label="In the airlock" value={number(work.requests.filter(r => r.state === "review" || r.state === "consolidating").length)} note="to decide" href="#/airlock" />
			<Stat label="Released" value={number(work.requests.filter(r => r.state === "released").length)} href="#/airlock" />
		</div>
	);
}

export function Home({ work }: { work: Work }) {
	const { me, is, lock } = useHouse();
	const items = work.items.length;
	const lead = lock?.locked ? `The house was locked down ${ago(lock.since)}.` : items ? `${plural(items, "thing")} ${items === 1 ? "waits" : "wait"} for you.` : "Nothing waits for you.";
	const works = is("principal-investigator", "researcher", "output-checker", "security-officer", "privacy-officer", "it-reviewer", "management-reviewer", "research-reviewer", "irb-member");
	return (
		<Page title={`${greeting(new Date().getHours())}, ${me.display || me.name}`} lead={work.ready ? lead : " "} wide>
			{is("administrator") && <HealthStats />}
			{is("auditor") && <LedgerStats />}
			{works && <div class={is("principal-investigator", "researcher") ? "columns even" : ""}>
				<Waiting work={work} />
				{is("principal-investigator", "researcher") && <MyStudies work={work} />}
			</div>}
			{is("security-officer", "privacy-officer") && <OfficerStats work={work} />}
			<Diagram />
		</Page>
	);
}
