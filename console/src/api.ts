// One place that talks to the gate. The session's token lives in this module's memory and nowhere else: a reload asks again.

import type * as T from "./types";

export class ApiError extends Error {
	constructor(readonly status: number, readonly code: string, message: string, readonly field?: string, readonly requestId?: string) {
		super(message);
	}
}

let token = "";
let onEnd: () => void = () => {};

export const hasSession = (): boolean => token !== "";
export const setToken = (t: string): void => { token = t; };
/** what to do when the house says that the session is over */
export const onSessionEnd = (fn: () => void): void => { onEnd = fn; };

interface Options { body?: unknown; raw?: Blob; signal?: AbortSignal | undefined }

async function send(method: string, path: string, { body, raw, signal }: Options = {}): Promise<Response> {
	const headers: Record<string, string> = { Accept: "application/json" };
	if (token) headers["Authorization"] = `Bearer ${token}`;
	if (body !== undefined) headers["Content-Type"] = "application/json";
	const init: RequestInit = { method, headers, cache: "no-store", credentials: "omit", redirect: "error", referrerPolicy: "no-referrer" };
	if (signal) init.signal = signal;
	if (raw) init.body = raw;
	else if (body !== undefined) init.body = JSON.stringify(body);
	let answer: Response;
	try {
		answer = await fetch(`/api/${path}`, init);
	} catch (e) {
		if (signal?.aborted) throw e;
		throw new ApiError(0, "NoAnswer", "The house does not answer. Is the network there?");
	}
	if (answer.ok) return answer;
	const said = await answer.json().catch(() => ({})) as { code?: string; message?: string; field?: string; requestId?: string };
	if (token && path !== "session" && answer.status === 401) {
		token = "";
		onEnd();
	}
	throw new ApiError(answer.status, said.code ?? "Error", said.message ?? `The house answered with status ${answer.status}.`, said.field, said.requestId);
}

async function json<A>(method: string, path: string, options?: Options): Promise<A> {
	const answer = await send(method, path, options);
	const text = await answer.text();
	return (text ? JSON.parse(text) : {}) as A;
}

const get = <A>(path: string, signal?: AbortSignal): Promise<A> => json<A>("GET", path, { signal });
const post = <A>(path: string, body: unknown = {}): Promise<A> => json<A>("POST", path, { body });
const e = encodeURIComponent;

function query(parameters: Record<string, string | number | undefined>): string {
	const words = Object.entries(parameters).filter(([, v]) => v !== undefined && v !== "").map(([k, v]) => `${e(k)}=${e(String(v))}`);
	return words.length ? `?${words.join("&")}` : "";
}

/** a list page by page, to its end */
async function all<A extends { id: string }, N extends string>(name: N, path: string, more: Record<string, string> = {}, signal?: AbortSignal): Promise<A[]> {
	const found: A[] = [];
	for (let after = ""; ;) {
		const page = await get<Record<N, A[]> & { more?: boolean }>(`${path}${query({ ...more, after })}`, signal);
		found.push(...page[name]);
		const last = found[found.length - 1];
		if (page.more !== true || !last || last.id === after) return found;
		after = last.id;
	}
}

export const api = {
	login: async (name: string, password: string, code: string): Promise<T.Login> => {
		const login = await post<T.Login>("session", { name, password, code });
		token = login.token;
		return login;
	},
	logout: async (): Promise<void> => {
		try { await json("DELETE", "session"); } catch { /* it ends here all the same */ } finally { token = ""; }
	},
	whoami: (s?: AbortSignal) => get<T.Person>("whoami", s),
	users: async (s?: AbortSignal): Promise<T.Person[]> => {
		const all: T.Person[] = [];
		for (let after = "", more = true; more;) {
			const page = await get<{ users?: T.Person[]; more?: boolean } & Partial<T.Person>>(`users${query({ after })}`, s);
			if (!page.users) return [page as T.Person];
			all.push(...page.users);
			more = page.more === true && page.users.length > 0;
			after = all[all.length - 1]?.name ?? "";
		}
		return all;
	},
	addUser: (body: { name: string; display?: string; email?: string; roles: string[] }) => post<T.LoginSecrets>("users", body),
	revokeUser: (name: string) => json<T.Person>("DELETE", `users/${e(name)}`),
	keys: (s?: AbortSignal) => get<{ keys: T.Key[] }>("keys", s),
	addKey: (days: number, read_only: boolean) => post<T.NewKey>("keys", { days, read_only }),
	revokeKey: (key: string) => json<T.Key>("DELETE", `keys/${e(key)}`),
	lockdown: (s?: AbortSignal) => get<T.Lockdown>("lockdown", s),
	lock: () => post<T.Lockdown>("lockdown"),
	lift: () => json<T.Lockdown>("DELETE", "lockdown"),
	status: (s?: AbortSignal) => get<T.Status>("status", s),
	flow: (s?: AbortSignal) => get<T.Flow>("flow", s),
	job: (id: string, s?: AbortSignal) => get<T.Job>(`jobs/${e(id)}`, s),
	rebuild: () => post<T.JobStarted>("pool/rebuild"),

	audit: (q: { from?: string; to?: string; who?: string; subject?: string; object?: string; act?: string; before?: number; limit?: number }, s?: AbortSignal) =>
		get<T.AuditPage>(`audit${query(q)}`, s),
	auditHead: (s?: AbortSignal) => get<T.AuditHead>("audit/head", s),
	auditProof: (n: number, s?: AbortSignal) => get<T.AuditProof>(`audit/${n}/proof`, s),

	studies: (s?: AbortSignal) => all<T.Study, "studies">("studies", "studies", {}, s),
	study: (id: string, s?: AbortSignal) => get<T.Study>(`studies/${e(id)}`, s),
	addStudy: (body: object) => post<{ study: string }>("studies", body),
	setStudy: (id: string, body: object) => json<T.Study>("PATCH", `studies/${e(id)}`, { body }),
	addBasis: (id: string, body: object) => post<T.Study>(`studies/${e(id)}/basis`, body),
	sign: (id: string, body: { review: string; decision: string; digest: string; comment: string }) => post<T.Study>(`studies/${e(id)}/signatures`, body),
	closeStudy: (id: string) => post<T.Study>(`studies/${e(id)}/close`),
	count: (id: string) => post<T.JobStarted>(`studies/${e(id)}/count`),
	makeRelease: (id: string) => post<T.JobStarted & { release: string }>(`studies/${e(id)}/releases`),
	releases: (id: string, s?: AbortSignal) => all<T.Release, "releases">("releases", `studies/${e(id)}/releases`, {}, s),
	release: (id: string, s?: AbortSignal) => get<T.Release>(`releases/${e(id)}`, s),

	cells: (s?: AbortSignal) => all<T.Cell, "cells">("cells", "cells", {}, s),
	cell: (id: string, s?: AbortSignal) => get<T.Cell>(`cells/${e(id)}`, s),
	openCell: (study: string, release: string) => post<{ cell: string; job?: string }>("cells", { study, release }),
	closeCell: (id: string) => json<T.Cell>("DELETE", `cells/${e(id)}`),
	enterCell: (id: string) => post<{ url: string; seconds: number }>(`cells/${e(id)}/enter`),
	work: (id: string, script: string) => post<{ worker: string }>(`cells/${e(id)}/workers`, { script }),

	airlock: (s?: AbortSignal) => all<T.AirlockRequest, "requests">("requests", "airlock", {}, s),
	request: (id: string, s?: AbortSignal) => get<T.AirlockRequest>(`airlock/${e(id)}`, s),
	submit: (body: object) => post<{ request: string; job?: string }>("airlock", body),
	upload: (id: string, n: number, raw: Blob) => json<Partial<T.JobStarted>>("PUT", `airlock/${e(id)}/files/${n}`, { raw }),
	submission: (id: string) => post<T.JobStarted>(`airlock/${e(id)}/submission`),
	file: async (id: string, n: number, s?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> =>
		new Uint8Array(await (await send("GET", `airlock/${e(id)}/files/${n}`, { signal: s })).arrayBuffer()),
	review: (id: string, body: { decision: string; comment: string; digest: string }) => post<T.AirlockRequest>(`airlock/${e(id)}/reviews`, body),
	consolidate: (id: string, body: { decision: string; comment: string; digest: string }) => post<T.AirlockRequest>(`airlock/${e(id)}/consolidation`, body),
	releaseOut: (id: string) => post<T.JobStarted>(`airlock/${e(id)}/release`),
	withdraw: (id: string) => json<T.AirlockRequest>("DELETE", `airlock/${e(id)}`),
	recall: (id: string) => post<T.AirlockRequest>(`airlock/${e(id)}/recall`),

	findSubject: (mrn: string, reason: string) => post<T.JobStarted>("subjects", { mrn, reason }),
	accesses: async (token_: string, s?: AbortSignal) => (await get<{ accesses: T.Access[] }>(`subjects/${e(token_)}/accesses`, s)).accesses,
	disclosures: (subject: string, s?: AbortSignal) => all<T.Disclosure, "disclosures">("disclosures", "disclosures", { subject }, s),
};
