// All studies that one may see.

import { useState } from "preact/hooks";
import { api } from "../api";
import { daysUntil, number, words } from "../format";
import { useLoad } from "../hooks";
import { useHouse } from "../house";
import { Badge, Choice, Page, Section, Show, Table } from "../parts/ui";
import type { Study } from "../types";
import { STUDY_TONE } from "../work";

export function BasisBadge({ study }: { study: Study }) {
	if (!study.basis) return <Badge tone="plain">No basis</Badge>;
	const days = daysUntil(study.basis.expires);
	if (days < 0) return <Badge tone="bad">Expired {study.basis.expires}</Badge>;
	return <Badge tone={days < 60 ? "warn" : "ok"}>until {study.basis.expires}</Badge>;
}

export function StudyList() {
	const { is } = useHouse();
	const studies = useLoad(api.studies, [], 20_000);
	const [state, setState] = useState("");
	return (
		<Page title="Studies" lead="A study may see data only with a basis, four signatures, and until the basis ends."
			actions={is("principal-investigator") && <a class="button main" href="#/studies/new">New study</a>}>
			<Section title="Register" actions={<Choice label="State" value={state} onInput={setState} options={[["", "All"], ["draft", "Draft"], ["review", "Review"], ["approved", "Approved"], ["closed", "Closed"]]} />}>
				<Show of={studies}>
					{all => <Table caption="Studies" quiet rows={all.filter(s => !state || s.state === state)} keyOf={s => s.id} empty="There is no study here." columns={[
						{ head: "Study", cell: s => <a href={`#/studies/${s.id}`}>{s.title}</a>, row: true },
						{ head: "Protocol", cell: s => s.protocol, tight: true }, { head: "Principal investigator", cell: s => s.pi },
						{ head: "State", cell: s => <Badge tone={STUDY_TONE[s.state]}>{words(s.state)}</Badge> }, { head: "Basis", cell: s => <BasisBadge study={s} /> },
						{ head: "Releases", cell: s => number(s.releases), num: true },
					]} />}
				</Show>
			</Section>
		</Page>
	);
}
