// The door: name, password, one-time code.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError } from "../api";
import { useAct } from "../hooks";
import { Mark } from "../parts/icon";
import { Button, Field, Notice } from "../parts/ui";
import type { Session } from "../session";

const IDLE_SECONDS = 1800; // the house's own, if it does not say
const AGE_MS = 12 * 3600 * 1000;

function explain(error: ApiError): string {
	if (error.status === 0) return error.message;
	if (error.code === "SlowDown") return "Too many attempts. Wait a minute, then try once more.";
	if (error.status === 401 || error.status === 403) return "Name, password or code is not right. A code is good once: wait for the next one.";
	return error.message;
}

export function SignIn({ why, done, theme }: { why: string; done: (session: Session) => void; theme: ComponentChildren }) {
	const [name, setName] = useState("");
	const [password, setPassword] = useState("");
	const [code, setCode] = useState("");
	const first = useRef<HTMLFormElement>(null);
	useEffect(() => { document.title = "Sign in · Cloister"; first.current?.querySelector("input")?.focus(); }, []);

	const login = useAct(async () => {
		try {
			const said = await api.login(name.trim(), password, code.replace(/\s/g, ""));
			const me = await api.whoami();
			setPassword("");
			done({ me, idleSeconds: said.idle_seconds ?? IDLE_SECONDS, expires: said.expires ? Date.parse(said.expires) : Date.now() + AGE_MS });
		} catch (e) {
			setCode("");
			throw e;
		}
	});
	return (
		<div class="door">
			<aside class="door-art" aria-label="About this house">
				<svg class="arches" viewBox="0 0 600 300" aria-hidden="true">
					{[0, 1, 2, 3, 4].map(i => <path key={i} d={`M${20 + i * 120} 300V150a50 50 0 0 1 100 0v150M${32 + i * 120} 300V152a38 38 0 0 1 76 0v148`} />)}
				</svg>
				<span class="brand"><Mark />Cloister</span>
				<p>Clinical research on data that nobody reads without leaving a record.</p>
				<small>Health information is protected by law. Use this house for your approved work only: each step is recorded with your name, and can be proved later.</small>
			</aside>
			<main class="door-main" id="main">
				<div class="theme">{theme}</div>
				<form ref={first} class="door-form" aria-label="Sign in" onSubmit={e => { e.preventDefault(); login.run(); }}>
					<h1>Sign in</h1>
					<p class="lead">With your password and the code of your authenticator app.</p>
					{why && !login.error && <Notice tone="plain">{why}</Notice>}
					{login.error && <Notice tone="bad">{explain(login.error)}</Notice>}
					<Field label="Name" value={name} onInput={setName} required autoComplete="username" spellcheck={false} maxLength={64} />
					<Field label="Password" type="password" value={password} onInput={setPassword} required autoComplete="current-password" maxLength={256} />
					<div class="code"><Field label="One-time code" value={code} onInput={setCode} required autoComplete="one-time-code" inputMode="numeric" pattern="[0-9 ]{6,7}" hint="Six digits, from your app" maxLength={7} /></div>
					<Button type="submit" kind="main" disabled={login.busy}>{login.busy ? "Signing in …" : "Sign in"}</Button>
				</form>
			</main>
		</div>
	);
}
