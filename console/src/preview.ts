// What a file is, by its own first bytes and never by what anybody says; and how its text is cut into a table. Pure, tested alone.

export type Shown = { kind: "image"; type: string } | { kind: "table"; rows: string[][]; more: boolean } | { kind: "text"; text: string; more: boolean } | { kind: "none" };

const TEXT_MAX = 256 * 1024;
const ROWS_MAX = 500;
const starts = (b: Uint8Array, ...magic: number[]): boolean => magic.every((m, i) => b[i] === m);

function imageType(b: Uint8Array): string | null {
	if (starts(b, 0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return "image/png";
	if (starts(b, 0xff, 0xd8, 0xff)) return "image/jpeg";
	return null; // SVG is text here: its source is what a reviewer has to see
}

/** comma-separated values with quotes (RFC 4180), at most ${max} rows */
export function parseCsv(text: string, max = ROWS_MAX): { rows: string[][]; more: boolean } {
	const rows: string[][] = [];
	let row: string[] = [];
	let cell = "";
	let quoted = false;
	for (let i = 0; i < text.length; i++) {
		const c = text[i];
		if (quoted) {
			if (c === '"' && text[i + 1] === '"') { cell += '"'; i++; }
			else if (c === '"') quoted = false;
			else cell += c;
		} else if (c === '"' && cell === "") quoted = true;
		else if (c === ",") { row.push(cell); cell = ""; }
		else if (c === "\n" || c === "\r") {
			if (c === "\r" && text[i + 1] === "\n") i++;
			row.push(cell);
			rows.push(row);
			row = [];
			cell = "";
			if (rows.length >= max) return { rows, more: i + 1 < text.length };
		} else cell += c;
	}
	if (cell !== "" || row.length) { row.push(cell); rows.push(row); }
	return { rows, more: false };
}

export function show(bytes: Uint8Array<ArrayBuffer>, name: string): Shown {
	const type = imageType(bytes);
	if (type) return { kind: "image", type };
	let text: string;
	try {
		// a cut may fall within a character: then the last bytes are no error
		text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, TEXT_MAX), { stream: bytes.length > TEXT_MAX });
	} catch {
		return { kind: "none" };
	}
	if (/[\0-\x08\x0e-\x1f]/.test(text)) return { kind: "none" };
	const more = bytes.length > TEXT_MAX;
	if (/\.csv$/i.test(name)) {
		const table = parseCsv(text);
		return { kind: "table", rows: table.rows, more: table.more || more };
	}
	return { kind: "text", text, more };
}

/** images as data:, since the policy of the page allows no other place */
export function dataUrl(bytes: Uint8Array, type: string): string {
	let binary = "";
	for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
	return `data:${type};base64,${btoa(binary)}`;
}
