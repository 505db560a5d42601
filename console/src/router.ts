// Where one is: the part of the address behind '#'. It never leaves the browser, and holds ids only.

import { useEffect, useState } from "preact/hooks";

export interface Place { path: string[]; query: URLSearchParams }

export function here(): Place {
	const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
	return { path: path.split("/").filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query) };
}

export const go = (to: string): void => { location.hash = to; };

export function usePlace(): Place {
	const [place, set] = useState(here);
	useEffect(() => {
		const changed = (): void => set(here());
		addEventListener("hashchange", changed);
		return () => removeEventListener("hashchange", changed);
	}, []);
	return place;
}
