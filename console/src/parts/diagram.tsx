// The live drawing of the house: what comes in, where it is, who decides, what goes out. Marks move when counters grow;
// who prefers reduced motion sees the numbers only. The same facts are in a table below it.

import { useEffect, useRef } from "preact/hooks";
import { api } from "../api";
import { number, short } from "../format";
import { TALL, WAYS, WIDE, type Box, type Layout, type PersonId, type RoomId, type WayId } from "../flow_layout";
import { marks, moved, numbers, type Numbers } from "../flow_model";
import { useLoad, useMedia } from "../hooks";
import { useHouse } from "../house";
import { Particles } from "../particles";
import { Show, Table } from "./ui";

const SOURCES: Record<"emr" | "warehouse" | "clinician" | "bedside", [name: string, how: string]> = {
	emr: ["EMR", "HL7, FHIR"], warehouse: ["Warehouse", "tables"], clinician: ["Clinician", "letters"], bedside: ["Bedside", "devices"],
};
const PEOPLE: Record<PersonId, [name: string, what: string]> = {
	patient: ["Patient", "may ask who saw"], security: ["Security officer", "signs, locks"], irb: ["IRB", "gives the basis"],
	researcher: ["Researcher", "works inside"], checkers: ["Checkers", "two, blind"],
};
const PERSON = "M0-4a5 5 0 1 0 0-10a5 5 0 0 0 0 10M-10 12C-9 3-5-1 0-1s9 4 10 13";

/** name, number, what the number is; a second line where there is room */
function rooms(n: Numbers): Record<Exclude<RoomId, "emr" | "warehouse" | "clinician" | "bedside">, [name: string, value: string, unit: string, more: string]> {
	return {
		landing: ["Landing", short(n.accepted), "received", n.waiting ? `${short(n.waiting)} waiting` : "all taken up"],
		pool: ["PHI pool", short(n.patients), "patients", `${short(n.resources)} resources`],
		quarantine: ["Quarantine", short(n.quarantined), "", ""],
		release: ["Study · release", short(n.releases), n.releases === 1 ? "release" : "releases", n.studies === 1 ? "1 study" : `${short(n.studies)} studies`],
		cell: ["Cell", short(n.cells), "open", "no way out"],
		airlock: ["Airlock", short(n.deciding), "to decide", "by digest"],
		out: ["Out", short(n.out), "released", ""],
	};
}

const Label = ({ box, lines }: { box: Box; lines: [string, string, string, string] }) => {
	const cx = box.x + box.w / 2;
	const [name, value, unit, more] = lines;
	const rows = box.h >= 116 && more ? 4 : 3;
	const top = box.y + box.h / 2 - (rows === 4 ? 42 : 24) + (box.h > 200 ? 14 : 0);
	const gap = rows === 4 ? 42 : 36;
	return (
		<g class="room-text">
			{box.h > 200 && <path class="lock" d="M-8 0H8V12H-8ZM-4.5 0V-4A4.5 4.5 0 0 1 4.5-4V0M0 5V8" transform={`translate(${cx} ${box.y + 28})`} />}
			<text class="room-name" x={cx} y={top}>{name}</text>
			<text class="room-value" x={cx} y={top + gap}>{value}</text>
			<text class="room-unit" x={cx} y={top + gap + 21}>{unit}</text>
			{rows === 4 && <text class="room-more" x={cx} y={top + 90}>{more}</text>}
		</g>
	);
};

const PersonMark = ({ id, at }: { id: PersonId; at: Layout["people"][PersonId] }) => {
	const [name, what] = PEOPLE[id];
	return (
		<g class={`person ${at.beside ? "beside" : ""}`}>
			{at.line && <path class="person-line" d={at.line} />}
			<path class="person-mark" d={PERSON} transform={`translate(${at.x} ${at.y})`} />
			{at.beside
				? <><text class="person-name" x={at.x - (id === "patient" ? -18 : 14)} y={at.y + (id === "patient" ? -4 : 28)}>{name}</text>
					<text class="person-what" x={at.x - (id === "patient" ? -18 : 14)} y={at.y + (id === "patient" ? 12 : 42)}>{what}</text></>
				: <><text class="person-name" x={at.x} y={at.y + 34}>{name}</text><text class="person-what" x={at.x} y={at.y + 53}>{what}</text></>}
		</g>
	);
};

function Drawing({ n, layout, locked }: { n: Numbers; layout: Layout; locked: boolean }) {
	const layer = useRef<SVGGElement>(null);
	const particles = useRef<Particles | undefined>(undefined);
	const before = useRef<Numbers | undefined>(undefined);
	const ways = useRef<Partial<Record<WayId, SVGPathElement | null>>>({});
	const still = useMedia("(prefers-reduced-motion: reduce)");

	useEffect(() => {
		if (layer.current) particles.current = new Particles(layer.current);
		return () => particles.current?.clear();
	}, [layout]);
	useEffect(() => {
		const last = before.current;
		before.current = n;
		if (!last || still || document.hidden) return;
		for (const [way, count] of Object.entries(moved(last, n)) as [WayId, number][]) {
			const path = ways.current[way];
			if (path) particles.current?.add(path, WAYS[way], marks(count));
		}
	}, [n, still]);

	const text = rooms(n);
	const r = layout.rooms;
	const { house, ledger } = layout;
	return (
		<svg class={`diagram ${layout.upright ? "tall" : "wide"} ${locked ? "locked" : ""}`} viewBox={`0 0 ${layout.width} ${layout.height}`} role="img" aria-labelledby="flow-title flow-text">
			<title id="flow-title">How data move through the house</title>
			<desc id="flow-text">Feeds bring data into landing; they become the PHI pool; an approved study gets a de-identified release; researchers work with it in a cell; results leave through the airlock. Every step is a record of the ledger. The numbers are in the table below.</desc>
			<defs><marker id="tip" viewBox="0 0 8 8" refX="6.5" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 .5L7 4L0 7.5Z" /></marker></defs>
			<rect class="house-line" x={house.x} y={house.y} width={house.w} height={house.h} rx="18" />
			<text class="house-name" x={house.x + 24} y={house.y + 27}>{locked ? "LOCKED DOWN: nothing is read or written" : "CLOISTER"}</text>
			{layout.records.map(d => <path key={d} class="to-ledger" d={d} />)}
			<rect class="ledger" x={ledger.x} y={ledger.y} width={ledger.w} height={ledger.h} rx="10" />
			{layout.upright
				? <text class="ledger-text" transform={`translate(${ledger.x + ledger.w / 2 + 5} ${ledger.y + ledger.h / 2}) rotate(-90)`} text-anchor="middle"><tspan class="ledger-name">Ledger</tspan>  {number(n.records)} records</text>
				: <><text class="ledger-text" x={ledger.x + 22} y={ledger.y + 37}><tspan class="ledger-name">Ledger</tspan><tspan dx="14">each step is a durable record before it happens</tspan></text>
					<text class="ledger-count" x={ledger.x + ledger.w - 22} y={ledger.y + 38} text-anchor="end">{number(n.records)}</text></>}
			{(Object.keys(WAYS) as WayId[]).map(w => <path key={w} ref={el => { ways.current[w] = el; }} class={`way ${WAYS[w]}${w === "pool-quarantine" ? " aside" : ""}`} d={layout.ways[w]} marker-end="url(#tip)" />)}
			{(Object.keys(layout.people) as PersonId[]).map(p => <PersonMark key={p} id={p} at={layout.people[p]} />)}
			{(Object.keys(SOURCES) as (keyof typeof SOURCES)[]).map(s => (
				<g key={s} class="source">
					<rect class="room outside" x={r[s].x} y={r[s].y} width={r[s].w} height={r[s].h} rx="9" />
					{layout.upright
						? <><text class="source-name" x={r[s].x + r[s].w / 2} y={r[s].y + 25} text-anchor="middle">{SOURCES[s][0]}</text><text class="source-how" x={r[s].x + r[s].w / 2} y={r[s].y + 44} text-anchor="middle">{n.sources[s].accepted ? short(n.sources[s].accepted) : SOURCES[s][1]}</text></>
						: <><text class="source-name" x={r[s].x + 14} y={r[s].y + 28}>{SOURCES[s][0]}</text><text class="source-how" x={r[s].x + 14} y={r[s].y + 49}>{SOURCES[s][1]}</text>
							{n.sources[s].accepted > 0 && <text class="source-count" x={r[s].x + r[s].w - 12} y={r[s].y + 49} text-anchor="end">{short(n.sources[s].accepted)}</text>}</>}
				</g>
			))}
			{(Object.keys(text) as (keyof typeof text)[]).map(id => (
				<g key={id}>
					<rect class={`room ${id}`} x={r[id].x} y={r[id].y} width={r[id].w} height={r[id].h} rx={id === "quarantine" ? 8 : 12} />
					{id === "quarantine"
						? <text class="quarantine-text" x={r[id].x + r[id].w / 2} y={r[id].y + r[id].h / 2 + 5} text-anchor="middle">
							{layout.upright ? <><tspan x={r[id].x + r[id].w / 2} dy="-6">Quarantine</tspan><tspan class="quarantine-count" x={r[id].x + r[id].w / 2} dy="16">{text[id][1]}</tspan></> : <>Quarantine <tspan class="quarantine-count" dx="6">{text[id][1]}</tspan></>}
						</text>
						: <Label box={r[id]} lines={text[id]} />}
				</g>
			))}
			<g ref={layer} />
		</svg>
	);
}

function AsTable({ n }: { n: Numbers }) {
	const rows: [string, string, string][] = [
		...Object.entries(SOURCES).map(([id, [name]]): [string, string, string] => {
			const s = n.sources[id as keyof typeof SOURCES];
			return [name, `${number(s.accepted)} accepted`, `${number(s.feeds)} feeds`];
		}),
		["Landing", `${number(n.accepted)} received`, `${number(n.waiting)} waiting to be taken up`],
		["PHI pool", `${number(n.patients)} patients`, `${number(n.resources)} resources`],
		["Quarantine", `${number(n.quarantined)} kept aside`, "could not be used, nothing dropped"],
		["Study and release", `${number(n.releases)} releases`, `${number(n.studies)} studies`],
		["Cell", `${number(n.cells)} open`, "no way out"],
		["Airlock", `${number(n.deciding)} to decide`, `${number(n.requests)} requests in all`],
		["Out", `${number(n.out)} released`, ""],
		["Ledger", `${number(n.records)} records`, ""],
	];
	return <Table caption="The house in numbers" keyOf={r => r[0]} rows={rows} columns={[{ head: "Room", cell: r => r[0], row: true }, { head: "Count", cell: r => r[1] }, { head: "More", cell: r => r[2] }]} />;
}

export function Diagram() {
	const flow = useLoad(api.flow, [], 1000);
	const wide = useMedia("(min-width: 860px)");
	const { lock } = useHouse();
	return (
		<Show of={flow}>
			{data => {
				const n = numbers(data);
				return (
					<figure class="flow">
						<Drawing n={n} layout={wide ? WIDE : TALL} locked={lock?.locked === true} />
						<figcaption>
							<ul class="legend">
								<li><svg viewBox="-8 -8 16 16" aria-hidden="true"><path class="particle identified" d="M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0" /></svg>identified</li>
								<li><svg viewBox="-8 -8 16 16" aria-hidden="true"><path class="particle deidentified" d="M-5-5H5V5H-5Z" /></svg>de-identified</li>
								<li><svg viewBox="-8 -8 16 16" aria-hidden="true"><path class="particle released" d="M0-7L7 0L0 7L-7 0Z" /></svg>released</li>
							</ul>
							<details><summary>The same as a table</summary><AsTable n={n} /></details>
						</figcaption>
					</figure>
				);
			}}
		</Show>
	);
}
