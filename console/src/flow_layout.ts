// Where things stand in the drawing of the house: once wide, once tall. Rooms, ways and people are the same in both.

export type Kind = "identified" | "deidentified" | "released";
export type RoomId = "emr" | "warehouse" | "clinician" | "bedside" | "landing" | "pool" | "quarantine" | "release" | "cell" | "airlock" | "out";
export type WayId =
	| "emr-landing" | "warehouse-landing" | "clinician-landing" | "bedside-landing" | "landing-pool" | "pool-quarantine" | "pool-release" | "release-cell"
	| "cell-airlock" | "airlock-out";
export type PersonId = "patient" | "security" | "irb" | "researcher" | "checkers";

export interface Box { x: number; y: number; w: number; h: number }
export interface Stand { x: number; y: number; beside: boolean; line: string }
export interface Layout {
	width: number; height: number; house: Box; ledger: Box; upright: boolean; rooms: Record<RoomId, Box>; ways: Record<WayId, string>;
	records: string[]; people: Record<PersonId, Stand>;
}

export const WAYS: Record<WayId, Kind> = {
	"emr-landing": "identified", "warehouse-landing": "identified", "clinician-landing": "identified", "bedside-landing": "identified",
	"landing-pool": "identified", "pool-quarantine": "identified", "pool-release": "deidentified", "release-cell": "deidentified",
	"cell-airlock": "deidentified", "airlock-out": "released",
};

const box = (x: number, y: number, w: number, h: number): Box => ({ x, y, w, h });

export const WIDE: Layout = {
	width: 1240, height: 590, house: box(206, 112, 880, 466), ledger: box(230, 496, 832, 60), upright: false,
	rooms: {
		emr: box(14, 150, 140, 62), warehouse: box(14, 230, 140, 62), clinician: box(14, 310, 140, 62), bedside: box(14, 390, 140, 62),
		landing: box(230, 214, 128, 150), pool: box(408, 190, 156, 198), quarantine: box(300, 416, 156, 48), release: box(614, 214, 144, 150),
		cell: box(804, 214, 116, 150), airlock: box(966, 214, 96, 150), out: box(1128, 240, 104, 98),
	},
	ways: {
		"emr-landing": "M154 181C198 181 182 250 226 250", "warehouse-landing": "M154 261C192 261 190 276 226 276",
		"clinician-landing": "M154 341C192 341 190 302 226 302", "bedside-landing": "M154 421C198 421 182 328 226 328",
		"landing-pool": "M358 289H404", "pool-quarantine": "M380 289V412", "pool-release": "M564 289H610", "release-cell": "M758 289H800",
		"cell-airlock": "M920 289H962", "airlock-out": "M1062 289H1124",
	},
	records: ["M266 364V492", "M510 388V492", "M686 364V492", "M862 364V492", "M1014 364V492"],
	people: {
		patient: { x: 84, y: 40, beside: false, line: "M84 98V146" }, security: { x: 486, y: 40, beside: false, line: "M486 98V186" },
		irb: { x: 686, y: 40, beside: false, line: "M686 98V210" }, researcher: { x: 862, y: 40, beside: false, line: "M862 98V210" },
		checkers: { x: 1014, y: 40, beside: false, line: "M1014 98V210" },
	},
};

export const TALL: Layout = {
	width: 360, height: 1010, house: box(6, 182, 348, 716), ledger: box(16, 222, 44, 660), upright: true,
	rooms: {
		emr: box(6, 50, 84, 60), warehouse: box(95, 50, 84, 60), clinician: box(184, 50, 84, 60), bedside: box(273, 50, 81, 60),
		landing: box(92, 222, 148, 92), pool: box(84, 358, 164, 112), quarantine: box(252, 318, 96, 46), release: box(92, 514, 148, 92),
		cell: box(92, 650, 148, 92), airlock: box(92, 786, 148, 92), out: box(112, 924, 108, 80),
	},
	ways: {
		"emr-landing": "M48 110C48 160 130 150 130 218", "warehouse-landing": "M137 110C137 160 154 160 154 218",
		"clinician-landing": "M226 110C226 160 178 160 178 218", "bedside-landing": "M313 110C313 160 202 150 202 218",
		"landing-pool": "M166 314V354", "pool-quarantine": "M166 336H248", "pool-release": "M166 470V510", "release-cell": "M166 606V646",
		"cell-airlock": "M166 742V782", "airlock-out": "M166 878V920",
	},
	records: ["M92 268H64", "M84 414H64", "M92 560H64", "M92 696H64", "M92 832H64"],
	people: {
		patient: { x: 24, y: 22, beside: true, line: "" }, security: { x: 272, y: 414, beside: true, line: "M260 414H250" },
		irb: { x: 272, y: 560, beside: true, line: "M260 560H242" }, researcher: { x: 272, y: 696, beside: true, line: "M260 696H242" },
		checkers: { x: 272, y: 832, beside: true, line: "M260 832H242" },
	},
};
