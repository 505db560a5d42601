// The pieces that pages are made of. Each is reachable by keyboard, says in words what it shows in colour, and fits 360 px.

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { ApiError } from "../api";
import { groups, number, span, time, ago, words } from "../format";
import type { Loaded, Doing } from "../hooks";
import { useJob, useNow } from "../hooks";
import { useHouse } from "../house";
import type { Job } from "../types";
import { Icon, type IconName } from "./icon";

type Children = { children?: ComponentChildren };
export type Tone = "ok" | "bad" | "warn" | "wait" | "info" | "plain";

// ---- a page ----

/** heading, actions, content; a new page takes the focus, so that a screen reader begins at its heading */
export function Page({ title, lead, actions, children, wide }: Children & { title: string; lead?: ComponentChildren; actions?: ComponentChildren; wide?: boolean }) {
	const heading = useRef<HTMLHeadingElement>(null);
	useEffect(() => { document.title = `${title} · Cloister`; }, [title]);
	useEffect(() => { heading.current?.focus({ preventScroll: true }); scrollTo(0, 0); }, []);
	return (
		<div class={wide ? "page wide" : "page"}>
			<header class="page-head">
				<div>
					<h1 ref={heading} tabIndex={-1}>{title}</h1>
					{lead && <p class="lead">{lead}</p>}
				</div>
				{actions && <div class="actions">{actions}</div>}
			</header>
			{children}
		</div>
	);
}

export function Section({ title, children, actions, id }: Children & { title: string; actions?: ComponentChildren; id?: string }) {
	const own = useId();
	return (
		<section class="card" aria-labelledby={id ?? own}>
			<header class="card-head"><h2 id={id ?? own}>{title}</h2>{actions}</header>
			{children}
		</section>
	);
}

// ---- words with a tone ----

const TONE_ICON: Record<Tone, IconName> = { ok: "ok", bad: "bad", warn: "warn", wait: "wait", info: "info", plain: "dot" };

export const Badge = ({ tone = "plain", children }: Children & { tone?: Tone }) => (
	<span class={`badge ${tone}`}>{tone !== "plain" && <Icon name={TONE_ICON[tone]} />}{children}</span>
);

export const Notice = ({ tone = "info", title, children }: Children & { tone?: Tone; title?: string }) => (
	<div class={`notice ${tone}`} role={tone === "bad" ? "alert" : "status"}>
		<Icon name={TONE_ICON[tone]} />
		<div>{title && <strong>{title} </strong>}{children}</div>
	</div>
);

export const Failure = ({ error }: { error: ApiError | undefined }) => error ? (
	<Notice tone="bad">
		{error.message}{error.field && <> (field <code>{error.field}</code>)</>}
		{error.requestId && <small class="dim"> Request {error.requestId.slice(0, 8)}</small>}
	</Notice>
) : null;

export const Empty = ({ children }: Children) => <p class="empty">{children}</p>;

/** what is loaded, or why not; the place keeps its height while it loads */
export function Show<A>({ of, children }: { of: Loaded<A>; children: (data: A) => ComponentChildren }) {
	if (of.data !== undefined) return <>{of.error && <Failure error={of.error} />}{children(of.data)}</>;
	if (of.error?.status === 403) return <Notice tone="plain" title="Not for your roles.">The house shows this to others only.</Notice>;
	if (of.error) return <Failure error={of.error} />;
	return <p class="loading" aria-busy="true">Loading …</p>;
}

// ---- tables ----

export interface Column<R> { head: string; cell: (row: R) => ComponentChildren; num?: boolean; row?: boolean; tight?: boolean }

/** a table with a caption; wider than the page it scrolls by itself, also by keyboard */
export function Table<R>({ caption, columns, rows, keyOf, empty, quiet }: {
	caption: string; columns: Column<R>[]; rows: readonly R[]; keyOf: (row: R) => string | number; empty?: ComponentChildren; quiet?: boolean;
}) {
	if (rows.length === 0 && empty !== undefined) return <Empty>{empty}</Empty>;
	return (
		<div class="scroll" role="region" aria-label={`Table: ${caption}`} tabIndex={0}>
			<table>
				<caption class={quiet ? "hidden" : undefined}>{caption}</caption>
				<thead><tr>{columns.map(c => <th key={c.head} scope="col" class={c.num ? "num" : undefined}>{c.head}</th>)}</tr></thead>
				<tbody>
					{rows.map(r => (
						<tr key={keyOf(r)}>
							{columns.map(c => c.row
								? <th key={c.head} scope="row">{c.cell(r)}</th>
								: <td key={c.head} class={c.num ? "num" : c.tight ? "tight" : undefined}>{c.cell(r)}</td>)}
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}

export const Facts = ({ of }: { of: readonly (readonly [string, ComponentChildren] | false | undefined)[] }) => (
	<dl class="facts">
		{of.map(f => f && <div key={f[0]}><dt>{f[0]}</dt><dd>{f[1]}</dd></div>)}
	</dl>
);

export const Stat = ({ label, value, note, tone, href }: { label: string; value: ComponentChildren; note?: ComponentChildren; tone?: Tone; href?: string }) => {
	const inside = <><span class="stat-label">{label}</span><span class="stat-value">{value}</span>{note && <span class="stat-note">{note}</span>}</>;
	const name = `stat ${tone ?? ""}`;
	return href ? <a class={name} href={href}>{inside}</a> : <div class={name}>{inside}</div>;
};

export function When({ at, seconds }: { at: string | undefined | null; seconds?: boolean }) {
	const now = useNow();
	return at ? <time dateTime={at} title={ago(at, now)}>{time(at, seconds)}</time> : <>–</>;
}
export function Ago({ at }: { at: string | undefined | null }) {
	const now = useNow(5000);
	return at ? <time dateTime={at} title={time(at, true)}>{ago(at, now)}</time> : <>never</>;
}

/** a digest as a person compares it: all of it, in groups */
export const Digest = ({ value, label }: { value: string | undefined; label?: string }) => (
	<span class="digest">
		{label && <span class="digest-label">{label}</span>}
		<code>{value ? groups(value).map((g, i) => <span key={i}>{g}</span>) : "not yet"}</code>
	</span>
);

export const Id = ({ of }: { of: string | undefined }) => of ? <code class="id" title={of}>{of.slice(0, 8)}</code> : <>–</>;

// ---- things to press ----

type ButtonProps = Children & {
	onClick?: () => void; kind?: "main" | "danger" | "quiet"; type?: "button" | "submit"; disabled?: boolean | undefined; icon?: IconName; label?: string;
};
export const Button = ({ onClick, kind, type = "button", disabled, icon, label, children }: ButtonProps) => (
	<button type={type} class={`button ${kind ?? ""}`} onClick={onClick} aria-disabled={disabled ? "true" : undefined} disabled={disabled} aria-label={label}>
		{icon && <Icon name={icon} />}{children}
	</button>
);

export const ActButton = ({ doing, busy, ...rest }: Omit<ButtonProps, "onClick"> & { doing: Doing; busy?: string }) => (
	<><Button {...rest} onClick={doing.run} disabled={rest.disabled || doing.busy}>{doing.busy ? busy ?? "Working …" : rest.children}</Button></>
);

export function Copy({ text, what }: { text: string; what: string }) {
	const [done, set] = useState(false);
	const { announce } = useHouse();
	const copy = async (): Promise<void> => {
		await navigator.clipboard.writeText(text);
		set(true);
		announce(`${what} copied`);
		setTimeout(() => set(false), 2000);
	};
	return <Button kind="quiet" icon={done ? "ok" : "copy"} label={`Copy ${what}`} onClick={() => void copy()}>{done ? "Copied" : "Copy"}</Button>;
}

/** hands bytes to the browser as a file */
export function saveAs(data: BlobPart, name: string, type = "application/octet-stream"): void {
	const url = URL.createObjectURL(new Blob([data], { type }));
	const a = document.createElement("a");
	a.href = url;
	a.download = name;
	document.body.append(a);
	a.click();
	a.remove();
	setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** a modal question; Escape and the first button leave it */
export function Dialog({ title, open, onClose, children, alert }: Children & { title: string; open: boolean; onClose: () => void; alert?: boolean }) {
	const element = useRef<HTMLDialogElement>(null);
	const id = useId();
	useEffect(() => {
		const d = element.current;
		if (open && d && !d.open) d.showModal();
		if (!open && d?.open) d.close();
	}, [open]);
	return (
		<dialog ref={element} aria-labelledby={id} role={alert ? "alertdialog" : undefined} onClose={onClose} onCancel={onClose}>
			{open && <><h2 id={id}>{title}</h2>{children}</>}
		</dialog>
	);
}

// ---- forms ----

interface FieldProps {
	label: string;
	value: string;
	onInput: (value: string) => void;
	hint?: ComponentChildren;
	error?: string | undefined;
	required?: boolean;
	optional?: boolean;
	mono?: boolean;
	rows?: number;
	type?: "text" | "password" | "email" | "search" | "date" | "datetime-local";
	autoComplete?: "off" | "username" | "current-password" | "one-time-code";
	inputMode?: "numeric" | "text";
	pattern?: string;
	maxLength?: number;
	spellcheck?: boolean;
}

export function Field({ label, value, onInput, hint, error, required, mono, rows, optional, type = "text", ...input }: FieldProps) {
	const id = useId();
	const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined;
	const common = {
		id, value, required, "aria-describedby": described, "aria-invalid": error ? true : undefined, class: mono ? "mono" : undefined,
		onInput: (e: Event) => onInput((e.currentTarget as HTMLInputElement | HTMLTextAreaElement).value),
	};
	return (
		<div class="field">
			<label for={id}>{label}{optional && <span class="dim"> (optional)</span>}</label>
			{rows ? <textarea {...common} rows={rows} spellcheck={!mono} maxLength={input.maxLength} /> : <input {...input} type={type as "text"} {...common} />}
			{hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
			{error && <p class="field-error" id={`${id}-error`}><Icon name="warn" />{error}</p>}
		</div>
	);
}

export function Choice({ label, value, onInput, options, hint }: {
	label: string; value: string; onInput: (value: string) => void; options: readonly (readonly [value: string, text: string])[]; hint?: ComponentChildren;
}) {
	const id = useId();
	return (
		<div class="field">
			<label for={id}>{label}</label>
			<select id={id} value={value} onChange={e => onInput(e.currentTarget.value)} aria-describedby={hint ? `${id}-hint` : undefined}>
				{options.map(([v, text]) => <option key={v} value={v}>{text}</option>)}
			</select>
			{hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
		</div>
	);
}

export function Radios({ legend, value, onInput, options }: {
	legend: string; value: string; onInput: (value: string) => void; options: readonly (readonly [value: string, text: string, note?: string])[];
}) {
	const name = useId();
	return (
		<fieldset class="radios">
			<legend>{legend}</legend>
			{options.map(([v, text, note]) => (
				<label key={v} class={v === value ? "chosen" : undefined}>
					<input type="radio" name={name} value={v} checked={v === value} onChange={() => onInput(v)} />
					<span>{text}{note && <small>{note}</small>}</span>
				</label>
			))}
		</fieldset>
	);
}

export function Checks({ legend, values, onInput, options }: {
	legend: string; values: readonly string[]; onInput: (values: string[]) => void; options: readonly (readonly [value: string, text: string])[];
}) {
	return (
		<fieldset class="checks">
			<legend>{legend}</legend>
			{options.map(([v, text]) => (
				<label key={v}>
					<input type="checkbox" checked={values.includes(v)} onChange={e => onInput(e.currentTarget.checked ? [...values, v] : values.filter(x => x !== v))} />
					<span>{text}</span>
				</label>
			))}
		</fieldset>
	);
}

/** a form that sends by Enter and by its button, and shows why it could not */
export const Form = ({ doing, children, label }: Children & { doing: Doing; label: string }) => (
	<form aria-label={label} onSubmit={e => { e.preventDefault(); doing.run(); }}>
		{children}
		<Failure error={doing.error} />
	</form>
);

// ---- jobs ----

const REASONS: Record<string, string> = {
	"no-subjects": "No patient fits the cohort.", "study-not-valid": "The study is not approved, or its basis has expired.",
};

export function JobProgress({ id, label, ended, done }: { id: string; label: string; ended?: (job: Job) => void; done?: (job: Job) => ComponentChildren }) {
	const { job, error } = useJob(id, ended);
	const bar = useId();
	if (!id) return null;
	if (error) return <Failure error={error} />;
	if (job?.state === "failed") return <Notice tone="bad" title={`${label}: failed.`}>{REASONS[job.reason ?? ""] ?? words(job.reason ?? "no reason given")}</Notice>;
	if (job?.state === "done") return <Notice tone="ok" title={`${label}: done.`}>{done?.(job)}</Notice>;
	return (
		<div class="job" role="status">
			<label id={bar}>{label} {job?.state === "queued" ? "waits for its turn" : "is at work"}{job && job.total > 0 ? `, ${number(job.done)} of ${number(job.total)}` : ""}</label>
			{job && job.total > 0 ? <progress aria-labelledby={bar} value={job.done} max={job.total} /> : <progress aria-labelledby={bar} />}
		</div>
	);
}

export const Left = ({ seconds }: { seconds: number }) => <>{span(Math.max(0, seconds))}</>;
