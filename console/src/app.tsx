// The frame around all views: door, menu, banner, session. Which view is shown follows from the address and the roles.

import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { api, onSessionEnd, setToken } from "./api";
import { words } from "./format";
import { useLoad, useMedia } from "./hooks";
import { House, maySee, useHouse, type HouseContext } from "./house";
import { Icon, Mark, type IconName } from "./parts/icon";
import { Ago, Button, Notice, Page } from "./parts/ui";
import { go, usePlace } from "./router";
import { SessionClock, type Session } from "./session";
import { applyTheme, savedTheme, type Theme } from "./theme";
import type { Person } from "./types";
import { useWork, type Work } from "./use_work";
import { forgetDecided } from "./work";
import { Account } from "./views/account";
import { AirlockNew } from "./views/airlock_new";
import { AirlockList } from "./views/airlock";
import { AirlockShow } from "./views/airlock_show";
import { CellList, CellShow } from "./views/cells";
import { Feeds, Health } from "./views/feeds";
import { FlowView } from "./views/flow";
import { Home } from "./views/home";
import { Ledger } from "./views/ledger";
import { LockdownView } from "./views/lockdown";
import { Patients } from "./views/patients";
import { People } from "./views/people";
import { Proof } from "./views/proof";
import { ReleaseShow } from "./views/release";
import { SignIn } from "./views/sign_in";
import { StudyList } from "./views/studies";
import { StudyForm } from "./views/study_form";
import { StudyShow } from "./views/study_show";

const MENU: [view: string, text: string, icon: IconName][] = [
	["home", "Home", "home"], ["flow", "The house, live", "flow"], ["feeds", "Feeds", "feeds"], ["studies", "Studies", "studies"], ["cells", "Cells", "cells"],
	["airlock", "Airlock", "airlock"], ["ledger", "Ledger", "ledger"], ["patients", "Who saw a patient", "patients"], ["people", "People", "people"],
	["health", "Health", "health"], ["lockdown", "Lock-down", "lockdown"],
];

export function ThemeSwitch() {
	const [theme, set] = useState<Theme>(savedTheme);
	const systemDark = useMedia("(prefers-color-scheme: dark)");
	const dark = theme === "dark" || (theme === "system" && systemDark);
	const to = dark ? "light" : "dark";
	const turn = (): void => { applyTheme(to); set(to); };
	return <Button kind="quiet" icon={dark ? "sun" : "moon"} label={`Switch to the ${to} theme`} onClick={turn} />;
}

function View({ work }: { work: Work }): ComponentChildren {
	const { path } = usePlace();
	const { me } = useHouse();
	const [view = "home", id = "", more = ""] = path;
	const menu = view === "releases" ? "studies" : view;
	if (!maySee(menu, me.roles)) {
		return <Page title="Not here"><Notice tone="plain">There is no such page, or it is not for your roles. <a href="#/">Home</a></Notice></Page>;
	}
	switch (view) {
	case "flow": return <FlowView />;
	case "feeds": return <Feeds />;
	case "health": return <Health />;
	case "studies": return id === "new" ? <StudyForm key="new" /> : id && more === "edit" ? <StudyForm key={id} id={id} /> : id ? <StudyShow key={id} id={id} /> : <StudyList />;
	case "releases": return <ReleaseShow key={id} id={id} />;
	case "cells": return id ? <CellShow key={id} id={id} /> : <CellList />;
	case "airlock": return id === "new" ? <AirlockNew /> : id ? <AirlockShow key={id} id={id} /> : <AirlockList />;
	case "ledger": return id ? <Proof key={id} n={id} /> : <Ledger />;
	case "patients": return <Patients />;
	case "people": return <People />;
	case "lockdown": return <LockdownView />;
	case "account": return <Account />;
	default: return <Home work={work} />;
	}
}

function Menu({ work }: { work: Work }) {
	const { me } = useHouse();
	const { path } = usePlace();
	const [open, set] = useState(false);
	const at = path[0] === "releases" ? "studies" : path[0] ?? "home";
	useEffect(() => set(false), [path.join("/")]);
	return (
		<nav class={open ? "side open" : "side"} aria-label="Main">
			<a class="brand" href="#/"><Mark />Cloister</a>
			<button type="button" class="menu-button" aria-expanded={open} aria-controls="menu" onClick={() => set(!open)}><Icon name="menu" />Menu</button>
			<div id="menu">
				<ul>
					{MENU.filter(([view]) => maySee(view, me.roles)).map(([view, text, icon]) => {
						const count = work.items.filter(i => i.view === view && i.view !== "cells").length;
						return (
							<li key={view}>
								<a href={`#/${view === "home" ? "" : view}`} aria-current={at === view ? "page" : undefined}>
									<Icon name={icon} />{text}{count > 0 && <span class="count">{count}<span class="hidden"> waiting</span></span>}
								</a>
							</li>
						);
					})}
				</ul>
			</div>
			<p class="side-foot">Every step here is a record of the ledger, with your name on it.</p>
		</nav>
	);
}

function Frame({ session, leave }: { session: Session; leave: () => void }) {
	const { me, lock, announce } = useHouse();
	const work = useWork(me);
	const { path } = usePlace();
	return (
		<div class="frame">
			<a class="skip" href="#main" onClick={e => { e.preventDefault(); document.getElementById("main")?.focus(); }}>Skip to the content</a>
			<Menu work={work} />
			<header class="top">
				<span>{lock === undefined ? null : lock.locked
					? <a href="#/lockdown" class="badge bad"><Icon name="lockdown" />Locked down</a>
					: <span class="badge ok"><Icon name="ok" />Open</span>}</span>
				<SessionClock session={session} leave={leave} announce={announce} />
				<a class="who" href="#/account">{me.display || me.name}<small>{me.roles.map(words).join(", ")}</small></a>
				<ThemeSwitch />
				<Button icon="exit" label="Log off" onClick={() => leave()}><span class="wide">Log off</span></Button>
			</header>
			<main class="content" id="main" tabIndex={-1}>
				{lock?.locked && <div class="notice bad" role="alert"><Icon name="lockdown" /><div><strong>The house is locked down</strong>{lock.since && <> since <Ago at={lock.since} /></>}. Nothing is read or written until two officers lift it.</div></div>}
				<View key={path[0] ?? "home"} work={work} />
			</main>
		</div>
	);
}

export function App() {
	const [session, setSession] = useState<Session>();
	const [why, setWhy] = useState("");
	const [spoken, setSpoken] = useState("");

	const end = useCallback((text: string): void => { setToken(""); forgetDecided(); setSession(undefined); setWhy(text); }, []);
	useEffect(() => onSessionEnd(() => end("Your session has ended. Please sign in again.")), []);
	const announce = useCallback((text: string): void => { setSpoken(""); setTimeout(() => setSpoken(text), 50); }, []);
	const leave = useCallback((text = "You are logged off."): void => { void api.logout().then(() => end(text)); }, []);

	return (
		<>
			<div class="hidden" role="status" aria-live="polite">{spoken}</div>
			{session
				? <Inside me={session.me} announce={announce}><Frame session={session} leave={leave} /></Inside>
				: <SignIn why={why} done={s => { setWhy(""); if (location.hash === "") go("/"); setSession(s); }} theme={<ThemeSwitch />} />}
		</>
	);
}

function Inside({ me, announce, children }: { me: Person; announce: (text: string) => void; children: ComponentChildren }) {
	const { data: lock, reload } = useLoad(api.lockdown, [], 5000);
	const was = useRef<boolean | undefined>(undefined);
	useEffect(() => {
		if (lock && was.current !== undefined && was.current !== lock.locked) announce(lock.locked ? "The house is locked down" : "The house is open again");
		if (lock) was.current = lock.locked;
	}, [lock?.locked]);
	const house: HouseContext = { me, lock, reloadLock: reload, announce, is: (...roles) => roles.some(r => me.roles.includes(r)) };
	return <House.Provider value={house}>{children}</House.Provider>;
}
