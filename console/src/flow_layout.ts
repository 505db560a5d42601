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
	width: 1180, height: 600, house: box(186, 118, 858, 468), ledger: box(208, 506, 814, 60), upright: false,
	rooms: {
		emr: box(4, 156, 146, 66), warehouse: box(4, 236, 146, 66), clinician: box(4, 316, 146, 66), bedside: box(4, 396, 146, 66),
		landing: box(208, 216, 132, 164), pool: box(386, 194, 160, 208), quarantine: box(276, 424, 160, 50), release: box(592, 216, 152, 164),
		cell: box(790, 216, 100, 164), airlock: box(930, 216, 92, 164), out: box(1082, 240, 94, 116),
	},
	ways: {
		"emr-landing": "M150 189C186 189 166 262 204 262", "warehouse-landing": "M150 269C182 269 174 286 204 286",
		"clinician-landing": "M150 349C182 349 174 310 204 310", "bedside-landing": "M150 429C186 429 166 334 204 334",
		"landing-pool": "M340 298H382", "pool-quarantine": "M362 298V420", "pool-release": "M546 298H588", "release-cell": "M744 298H786",
		"cell-airlock": "M890 298H926", "airlock-out": "M1022 298H1078",
	},
	records: ["M242 380V502", "M466 402V502", "M668 380V502", "M840 380V502", "M976 380V502"],
	people: {
		patient: { x: 77, y: 38, beside: false, line: "M77 102V152" }, security: { x: 466, y: 38, beside: false, line: "M466 102V190" },
		irb: { x: 668, y: 38, beside: false, line: "M668 102V212" }, researcher: { x: 826, y: 38, beside: false, line: "M826 102V212" },
		checkers: { x: 976, y: 38, beside: false, line: "M976 102V212" },
	},
};

export const TALL: Layout = {
	width: 360, height: 1024, house: box(6, 182, 348, 716), ledger: box(16, 222, 44, 660), upright: true,
	rooms: {
		emr: box(6, 50, 84, 60), warehouse: box(95, 50, 84, 60), clinician: box(184, 50, 84, 60), bedside: box(273, 50, 81, 60),
		landing: box(92, 222, 148, 92), pool: box(84, 358, 164, 112), quarantine: box(252, 318, 96, 46), release: box(92, 514, 148, 92),
		cell: box(92, 650, 148, 92), airlock: box(92, 786, 148, 92), out: box(112, 924, 108, 92),
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
