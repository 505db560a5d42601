// How numbers, times, sizes and digests look. The language is English everywhere, so that two people see the same text.

const whole = new Intl.NumberFormat("en-US");
const dateTime = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const dateTimeSeconds = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const dateOnly = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" });
const NOTHING = "–";

export const number = (n: number | undefined | null): string => n === undefined || n === null ? NOTHING : whole.format(n);

/** 123 k, 4.1 M: for the diagram, where room is short */
export function short(n: number): string {
	if (n < 100_000) return whole.format(n);
	const [unit, size] = n < 1e6 ? ["k", 1e3] as const : n < 1e9 ? ["M", 1e6] as const : ["G", 1e9] as const;
	const value = Math.floor(n / size * 10) / 10; // downwards: never more than there are
	return `${value >= 100 ? Math.floor(value) : value.toFixed(1)} ${unit}`;
}

export function bytes(n: number | undefined | null): string {
	if (n === undefined || n === null) return NOTHING;
	const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
	let i = 0;
	for (; n >= 1024 && i < units.length - 1; i++) n /= 1024;
	return i === 0 ? `${n} ${n === 1 ? "byte" : "bytes"}` : `${n >= 100 ? n.toFixed(0) : n.toFixed(1)} ${units[i]}`;
}

function parse(t: string | undefined | null): Date | null {
	const d = t ? new Date(t) : null;
	return d && !Number.isNaN(d.getTime()) ? d : null;
}

export function time(t: string | undefined | null, seconds = false): string {
	const d = parse(t);
	return d ? (seconds ? dateTimeSeconds : dateTime).format(d) : NOTHING;
}

export function date(t: string | undefined | null): string {
	const d = parse(t);
	return d ? dateOnly.format(d) : NOTHING;
}

/** "4 min ago", "in 3 days" */
export function ago(t: string | undefined | null, now = Date.now()): string {
	const d = parse(t);
	if (!d) return NOTHING;
	const s = Math.round((now - d.getTime()) / 1000);
	const text = span(Math.abs(s));
	return Math.abs(s) < 5 ? "now" : s > 0 ? `${text} ago` : `in ${text}`;
}

export function span(seconds: number): string {
	if (seconds < 60) return `${Math.round(seconds)} s`;
	if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
	if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
	return plural(Math.floor(seconds / 86_400), "day");
}

/** whole days from now until the end of day ${t}; negative: past */
export function daysUntil(t: string, now = Date.now()): number {
	const d = parse(t.length === 10 ? `${t}T23:59:59Z` : t);
	return d ? Math.floor((d.getTime() - now) / 86_400_000) : NaN;
}

/** "irb-approval" as words */
export function words(w: string): string {
	const special: Record<string, string> = {
		"irb-approval": "IRB approval", "irb-waiver": "IRB waiver", "irb-member": "IRB member", "it": "IT", "it-reviewer": "IT reviewer",
		"limited-data-set": "Limited data set", "limited-data-set-agreement": "Limited data set agreement", "mllp": "HL7 v2, MLLP", "fhir": "FHIR", "mqtt": "MQTT", "drop": "Drop of files", "dns": "DNS", "tcp": "TCP", "udp": "UDP",
		"irb": "IRB", "phi": "PHI",
	};
	const text = special[w] ?? w.replaceAll("-", " ");
	return text.charAt(0).toUpperCase() + text.slice(1);
}

/** the beginning of an id, to tell two apart at a glance */
export const brief = (id: string | undefined): string => id ? id.slice(0, 8) : NOTHING;

/** a digest in groups of eight: what a person can compare */
export const groups = (digest: string): string[] => digest.match(/.{1,8}/g) ?? [];

export const plural = (n: number, one: string, many = `${one}s`): string => `${number(n)} ${n === 1 ? one : many}`;
