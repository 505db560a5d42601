// The lists behind "waits for you", looked at every half minute.

import { useMemo } from "preact/hooks";
import { api } from "./api";
import { useLoad } from "./hooks";
import { maySee } from "./house";
import type { AirlockRequest, Cell, Person, Study } from "./types";
import { waiting, type WorkItem } from "./work";

export interface Work { items: WorkItem[]; studies: Study[]; requests: AirlockRequest[]; cells: Cell[]; ready: boolean; reload: () => void }

export function useWork(me: Person): Work {
	const lists = useLoad(async signal => {
		const ask = <A>(view: string, load: (s: AbortSignal) => Promise<A[]>): Promise<A[]> =>
			maySee(view, me.roles) ? load(signal).catch(() => []) : Promise.resolve([]);
		const [studies, requests, cells] = await Promise.all([ask("studies", api.studies), ask("airlock", api.airlock), ask("cells", api.cells)]);
		return { studies, requests, cells };
	}, [me.id], 30_000);
	const { studies = [], requests = [], cells = [] } = lists.data ?? {};
	const items = useMemo(() => waiting(me, studies, requests, cells), [lists.data]);
	return { items, studies, requests, cells, ready: lists.data !== undefined, reload: lists.reload };
}
