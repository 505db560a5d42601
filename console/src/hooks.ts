// Loading, repeating, doing: what every view needs.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError } from "./api";
import type { Job } from "./types";

export interface Loaded<A> { data: A | undefined; error: ApiError | undefined; reload: () => void }

const asError = (e: unknown): ApiError => e instanceof ApiError ? e : new ApiError(0, "Error", e instanceof Error ? e.message : "Something went wrong.");

/** ${load} now, when ${on} changes, and every ${every} ms while the page is looked at; old data stay until new ones are there */
export function useLoad<A>(load: (signal: AbortSignal) => Promise<A>, on: readonly unknown[] = [], every = 0): Loaded<A> {
	const [state, set] = useState<{ data?: A; error?: ApiError }>({});
	const [turn, setTurn] = useState(0);
	useEffect(() => { set({}); }, on);
	useEffect(() => {
		const stop = new AbortController();
		let timer = 0;
		const run = async (): Promise<void> => {
			try {
				const data = await load(stop.signal);
				if (!stop.signal.aborted) set({ data });
			} catch (e) {
				const error = asError(e);
				if (stop.signal.aborted) return;
				set(old => old.data === undefined || error.status === 403 || error.status === 404 ? { error } : { data: old.data, error });
				if (error.status === 403 || error.status === 404 || error.status === 401) return; // asking again changes nothing
			}
			if (every && !stop.signal.aborted) timer = window.setTimeout(tick, every);
		};
		const tick = (): void => {
			if (document.hidden) timer = window.setTimeout(tick, every);
			else void run();
		};
		void run();
		return () => { stop.abort(); clearTimeout(timer); };
	}, [...on, turn]);
	return { data: state.data, error: state.error, reload: useCallback(() => setTurn(t => t + 1), []) };
}

export interface Doing { busy: boolean; error: ApiError | undefined; run: () => void; clear: () => void }

/** something that a person starts; never twice at once */
export function useAct(act: () => Promise<void>): Doing {
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<ApiError>();
	const alive = useRef(true);
	const running = useRef(false);
	useEffect(() => { alive.current = true; return () => { alive.current = false; }; }, []);
	const run = (): void => {
		if (running.current) return;
		running.current = true;
		setBusy(true);
		setError(undefined);
		act().catch((e: unknown) => { if (alive.current) setError(asError(e)); })
			.finally(() => { running.current = false; if (alive.current) setBusy(false); });
	};
	return { busy, error, run, clear: () => setError(undefined) };
}

/** follows a job to its end; ${id} empty: none */
export function useJob(id: string, ended: (job: Job) => void = () => {}): { job: Job | undefined; error: ApiError | undefined } {
	const [job, setJob] = useState<Job>();
	const [error, setError] = useState<ApiError>();
	useEffect(() => {
		setJob(undefined);
		setError(undefined);
		if (!id) return;
		const stop = new AbortController();
		let timer = 0;
		let failures = 0;
		const look = async (): Promise<void> => {
			try {
				const now = await api.job(id, stop.signal);
				if (stop.signal.aborted) return;
				failures = 0;
				setJob(now);
				if (now.state === "done" || now.state === "failed") return ended(now);
			} catch (e) {
				if (stop.signal.aborted) return;
				if (++failures >= 5 || asError(e).status >= 400) return setError(asError(e));
			}
			timer = window.setTimeout(() => void look(), 400);
		};
		void look();
		return () => { stop.abort(); clearTimeout(timer); };
	}, [id]);
	return { job, error };
}

/** the time, so that "4 min ago" goes on */
export function useNow(every = 15_000): number {
	const [now, set] = useState(Date.now());
	useEffect(() => {
		const timer = setInterval(() => set(Date.now()), every);
		return () => clearInterval(timer);
	}, [every]);
	return now;
}

export function useMedia(query: string): boolean {
	const [matches, set] = useState(() => matchMedia(query).matches);
	useEffect(() => {
		const list = matchMedia(query);
		const changed = (): void => set(list.matches);
		list.addEventListener("change", changed);
		return () => list.removeEventListener("change", changed);
	}, [query]);
	return matches;
}
