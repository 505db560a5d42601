// What every view may ask: who is signed in, whether the house is locked down, how to say something aloud.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Lockdown, Person, Role } from "./types";

export interface HouseContext {
	me: Person;
	lock: Lockdown | undefined;
	reloadLock: () => void;
	announce: (text: string) => void;
	is: (...roles: Role[]) => boolean;
}

const none: HouseContext = { me: { id: "", name: "", roles: [] }, lock: undefined, reloadLock: () => {}, announce: () => {}, is: () => false };
export const House = createContext<HouseContext>(none);
export const useHouse = (): HouseContext => useContext(House);

/** which views a role works with; what is not listed is not in its menu (the house refuses it as well) */
const VIEWS: Record<string, Role[] | "all"> = {
	home: "all",
	flow: "all",
	feeds: ["administrator", "data-steward", "security-officer", "privacy-officer", "auditor"],
	studies: ["principal-investigator", "researcher", "it-reviewer", "management-reviewer", "research-reviewer", "irb-member", "security-officer",
		"privacy-officer", "auditor", "output-checker"],
	cells: ["principal-investigator", "researcher", "security-officer"],
	airlock: ["principal-investigator", "researcher", "output-checker", "privacy-officer", "security-officer", "auditor"],
	ledger: ["auditor", "security-officer", "privacy-officer"],
	patients: ["privacy-officer"],
	people: ["administrator", "security-officer", "privacy-officer", "auditor"],
	health: ["administrator", "security-officer", "privacy-officer", "auditor"],
	lockdown: ["administrator", "security-officer", "privacy-officer"],
	account: "all",
};

export function maySee(view: string, roles: Role[]): boolean {
	const who = VIEWS[view];
	return who === "all" || (who !== undefined && roles.some(r => who.includes(r)));
}
