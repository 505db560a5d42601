import { Diagram } from "../parts/diagram";
import { Page } from "../parts/ui";

export const FlowView = () => (
	<Page title="The house, live" lead="What comes in, where it is, who decides, what goes out. Looked at every second." wide>
		<Diagram />
	</Page>
);
