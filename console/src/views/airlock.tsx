// The queue: what was asked, by whom, and where it stands.

import { useState } from "preact/hooks";
import { api } from "../api";
import { number, words } from "../format";
import { useLoad } from "../hooks";
import { useHouse } from "../house";
import { Badge, Choice, Page, Section, Show, Table, When } from "../parts/ui";
import type { AirlockRequest } from "../types";
import { AIRLOCK_TONE, decidable, isMe, titleOf } from "../work";

export function AirlockList() {
	const { me, is } = useHouse();
	const requests = useLoad(api.airlock, [], 10_000);
	const checker = is("output-checker");
	const [which, setWhich] = useState(checker ? "mine" : "all");
	const fits = (r: AirlockRequest): boolean => which === "all" || (which === "mine" ? decidable(me, r) !== null : which === "own" ? isMe(me, r.who) : r.state === which);
	return (
		<Page title="Airlock" lead="The only way in or out of a cell: checks by the house, two reviewers who do not see each other, a decision on exactly these bytes."
			actions={is("researcher", "principal-investigator") && <><a class="button main" href="#/airlock/new">Ask to take out</a><a class="button" href="#/airlock/new?direction=in">Ask to bring in</a></>}>
			<Section title="Requests" actions={<Choice label="Show" value={which} onInput={setWhich} options={[
				...(checker || is("privacy-officer") ? [["mine", "Waiting for me"] as const] : []), ["all", "All"], ...(is("researcher", "principal-investigator") ? [["own", "My own"] as const] : []),
				["review", "In review"], ["released", "Released"], ["returned", "Returned"], ["rejected", "Rejected"],
			]} />}>
				<Show of={requests}>
					{all => <Table caption="Requests" quiet rows={all.filter(fits).sort((a, b) => (b.submitted ?? b.created ?? "").localeCompare(a.submitted ?? a.created ?? ""))} keyOf={r => r.id}
						empty={which === "mine" ? "Nothing waits for your decision." : "There is no such request."} columns={[
							{ head: "Request", cell: r => <a href={`#/airlock/${r.id}`}>{titleOf(r)}</a>, row: true }, { head: "Way", cell: r => r.direction === "out" ? "Out" : "In" },
							{ head: "Who", cell: r => r.who }, { head: "State", cell: r => <Badge tone={AIRLOCK_TONE[r.state]}>{words(r.state)}</Badge> }, { head: "Files", cell: r => number(r.count ?? r.files?.length), num: true },
							{ head: "To", cell: r => r.recipient?.name ?? "–" }, { head: "Submitted", cell: r => <When at={r.submitted ?? r.created} /> },
						]} />}
				</Show>
			</Section>
		</Page>
	);
}
