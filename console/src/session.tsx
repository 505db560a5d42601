// The end of a session is seen coming. Views ask the house again and again by themselves, which would keep a session alive in front of
// an empty chair; so the console counts the person's own input and logs off after the house's idle time without any.

import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "./api";
import { span } from "./format";
import { Button, Dialog } from "./parts/ui";
import type { Person } from "./types";

export interface Session { me: Person; idleSeconds: number; expires: number }
const WARN_SECONDS = 120;

/** seconds until idleness or age ends it, and which of the two */
export function left(session: Session, lastInput: number, now: number): { seconds: number; age: boolean } {
	const idle = (lastInput - now) / 1000 + session.idleSeconds;
	const age = (session.expires - now) / 1000;
	return age < idle ? { seconds: age, age: true } : { seconds: idle, age: false };
}

export function SessionClock({ session, leave, announce }: { session: Session; leave: (text?: string) => void; announce: (text: string) => void }) {
	const input = useRef(Date.now());
	const [now, setNow] = useState(Date.now());
	const rest = left(session, input.current, now);
	const warn = rest.seconds < Math.min(WARN_SECONDS, session.idleSeconds / 2);

	useEffect(() => {
		const seen = (): void => { input.current = Date.now(); };
		for (const kind of ["pointerdown", "keydown", "wheel"]) addEventListener(kind, seen, { passive: true, capture: true });
		const timer = setInterval(() => setNow(Date.now()), 1000);
		return () => { clearInterval(timer); for (const kind of ["pointerdown", "keydown", "wheel"]) removeEventListener(kind, seen, { capture: true }); };
	}, []);
	useEffect(() => { if (rest.seconds <= 0) leave("Your session has ended, because nothing was done for a while."); }, [rest.seconds <= 0]);
	useEffect(() => { if (warn) announce(`Your session ends in ${span(Math.round(rest.seconds))}`); }, [warn]);

	const stay = (): void => { input.current = Date.now(); setNow(Date.now()); void api.whoami(); };
	return (
		<Dialog title="Your session ends soon" open={warn && rest.seconds > 0} onClose={() => { if (warn && !rest.age) stay(); }} alert>
			<p>{rest.age ? "A session lasts a limited time. Finish what you are writing; then sign in again." : "Nothing was done for a while."} It ends in <strong>{span(Math.max(0, Math.round(rest.seconds)))}</strong>.</p>
			<div class="row">
				<Button onClick={() => leave()}>Log off</Button>
				{!rest.age && <Button kind="main" onClick={stay}>Stay signed in</Button>}
			</div>
		</Dialog>
	);
}
