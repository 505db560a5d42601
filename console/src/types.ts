// The documents of the JSON API, as doc/api.md and /api/openapi.json describe them. Times are RFC 3339 in UTC.

export type Role =
	| "administrator" | "security-officer" | "privacy-officer" | "data-steward" | "principal-investigator" | "researcher"
	| "output-checker" | "auditor" | "clinician" | "device" | "feed"
	| "it-reviewer" | "management-reviewer" | "research-reviewer" | "irb-member";

export interface Person {
	id: string;
	name: string;
	display?: string;
	email?: string;
	kind?: "person" | "service";
	state?: "active" | "revoked";
	login?: boolean;
	roles: Role[];
	created?: string;
	revoked?: string;
	record?: number;
}

export interface LoginSecrets extends Person { password?: string; totp_secret?: string; totp_uri?: string }
export interface Login { token: string; name?: string; display?: string; idle_seconds?: number; expires?: string }
export interface Key {
	access_key: string; person: string; state: "active" | "expired" | "revoked"; created?: string; expires?: string; read_only?: boolean; buckets?: string[];
}
export interface NewKey extends Key { secret: string }
export interface Lockdown { locked: boolean; since?: string; by?: string; consent?: "first"; needs?: string; seconds?: number }

export interface AuditRecord {
	n: number; time: string; act: string; who?: string; object?: string; bucket?: string; decision?: "allow" | "deny"; reason?: string;
	[more: string]: string | number | undefined;
}
export interface AuditPage { records: AuditRecord[]; names: Record<string, string>; next: number | null }
export interface AuditProof { index: number; proof: string; record: string }
export interface AuditHead { size: number; root: string; checkpoint: string }

export interface Status {
	time: string; uptimeSeconds: number; locked: boolean;
	processes: { name: string; answers: boolean; answerMicroseconds?: number }[];
	ledger: { records: number; bytes: number; groups: number; indexBacklog: number } | null;
	vault: { buckets: number; versions: number; bytes: number; uploads: number; blobs: number; blobsBad: number; diskFreeBytes: number; lastFullCheck?: string | null } | null;
	gate: { requests: number; errors: number; connections: number };
}

export interface Job {
	id: string; kind: string; state: "queued" | "running" | "done" | "failed"; done: number; total: number; result?: Record<string, unknown>; reason?: string;
}
export interface JobStarted { job: string }

export type Review = "it" | "management" | "research" | "security";
export type BasisKind = "irb-approval" | "irb-waiver" | "authorization" | "limited-data-set-agreement" | "expert-determination";
export interface Basis {
	id: string; kind: BasisKind; board: string; number: string; document_sha256: string; expires: string; recorded_by?: string; recorded?: string;
}
export interface Signature { review: Review; who: string; decision: "sign" | "refuse"; at: string; digest: string; comment?: string }
export interface Study {
	id: string; title: string; protocol: string; description?: string; profile: string; state: "draft" | "review" | "approved" | "closed"; valid: boolean;
	pi: string; people: string[]; cohort: string; tables?: string[]; basis?: Basis | null; signatures: Signature[]; missing: string[]; digest: string;
	created: string; releases: number; offer: boolean; sponsor?: string; contact?: string;
}

export interface Counts { added: number; removed: number; changed: number }
export type Difference = { since: number } & { [table: string]: Counts | number };
export interface Release {
	id: string; study: string; version: number; state: "making" | "ready" | "refused"; made: string; made_by: string; patients?: number | string;
	rows?: Record<string, number>; files?: { name: string; size: number; sha256: string }[]; manifest_sha256?: string; profile: string; pool?: number;
	reason?: string; manifest?: Record<string, unknown>; difference?: Difference | null;
}

export interface Worker { id: string; running: boolean; exit_status?: number; started?: string | null; ended?: string | null }
export interface CellLive {
	staged?: boolean; notebook?: boolean; memory_bytes?: number; processes?: number; disk_bytes?: number; refused?: Record<string, number>;
	workers?: Worker[]; used?: string;
}
export interface Cell {
	id: string; study: string; release: string; who: string; state: "open" | "closed"; usable?: boolean; reason?: string; opened: string; closed?: string; expires?: string;
	limits?: { memory_mib: number; cpus: number; processes: number; disk_mib: number; minutes: number }; live?: CellLive | null;
}

export type AirlockState =
	| "draft" | "scanning" | "blocked" | "review" | "consolidating" | "returned" | "rejected" | "approved" | "releasing" | "released"
	| "withdrawn" | "expired" | "recalled";
export interface Finding { check: string; severity: "block" | "warn" | "note"; place?: string; count?: number }
/** without digest and type until the house has looked at it */
export interface AirlockFile { n: number; name: string; size: number; sha256?: string; type?: string; findings?: Finding[] }
export interface AirlockReview { who: string; decision: "approve" | "return" | "reject"; comment?: string; at: string }
/** a list has it in brief: without files, reviews and context, with count and whether the asker has decided */
export interface AirlockRequest {
	id: string; cell: string; study: string; direction: "out" | "in"; who: string; state: AirlockState; context?: string; purpose?: string;
	recipient?: { name?: string; address?: string }; reason?: string; period?: string; count?: number; reviewed?: boolean; files?: AirlockFile[]; reviews?: AirlockReview[];
	created?: string; submitted?: string; decided?: string; released?: string; digest?: string; disclosure?: string;
}

export interface Disclosure {
	id: string; at: string; recipient: { name: string; address: string }; description: string; purpose: string;
	study: { protocol?: string; title?: string; purpose?: string; data?: string; pi?: string; criteria?: string; period?: string; sponsor?: string; contact?: string }; record?: number;
}
export interface Access {
	record: number; at: string; who?: string | null; address?: string | null; act: string; decision?: string | null; study?: string | null; basis?: string | null; release?: string | null;
}

export interface FlowFeed { name: string; kind: string; state: string; accepted?: number; duplicate?: number; refused?: number; last?: string | null }
export interface Flow {
	feeds: FlowFeed[];
	landing: { newest: number; done: number };
	pool: { generation: number; resources: Record<string, number>; patients: number; quarantined: Record<string, number> };
	studies?: number; releases?: number; cells?: number; airlock?: Partial<Record<AirlockState, number>>; records?: number;
}
