// Small drawings of one stroke. They never carry a meaning alone: a word stands beside each.

const PATHS = {
	home: "M4 11.5 12 5l8 6.5M6 10v9h12v-9M10 19v-5h4v5",
	flow: "M4 7h5l6 10h5M4 17h5l2-3.3M13 10.3 15 7h5M17.5 4.5 20 7l-2.5 2.5M17.5 14.5 20 17l-2.5 2.5",
	feeds: "M5 19a1 1 0 1 0 0-.01M5 12a7 7 0 0 1 7 7M5 6a13 13 0 0 1 13 13",
	studies: "M7 4h8l4 4v12H7zM15 4v4h4M10 12h6M10 16h6",
	cells: "M5 5h14v14H5zM5 9h14M9 13l2 2-2 2M13 17h3",
	airlock: "M4 20V5h6v15M20 20V5h-6v15M2.5 20h19M8 12.5v.01M16 12.5v.01",
	ledger: "M6 4h12v16H6zM6 8h12M6 12h12M6 16h12",
	patients: "M12 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M5 20c.6-4 3.3-6 7-6s6.4 2 7 6",
	people: "M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6M3.5 19c.4-3.3 2.5-5 5.5-5s5.1 1.7 5.5 5M16 11.5a2.5 2.5 0 1 0-1-4.8M17 14.2c2 .5 3.2 2.1 3.5 4.8",
	health: "M3 12h4l2.5-6 4.5 12 2.5-6H21",
	lockdown: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3M12 14.5v2",
	open: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 6.8-1.2M12 14.5v2",
	account: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M5 20c.7-3.8 3.4-5.5 7-5.5s6.3 1.7 7 5.5",
	sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M18.4 5.6l-1.1 1.1M6.7 17.3l-1.1 1.1",
	moon: "M19 14.5A7.5 7.5 0 0 1 9.5 5a7.5 7.5 0 1 0 9.5 9.5",
	exit: "M10 5H5v14h5M15 8l4 4-4 4M19 12H9",
	menu: "M4 7h16M4 12h16M4 17h16",
	ok: "M5 12.5 10 17 19 7",
	bad: "M7 7l10 10M17 7 7 17",
	wait: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16M12 8v4.5l3 2",
	warn: "M12 4.5 21 19.5H3zM12 10v4.5M12 17v.01",
	info: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16M12 11v5M12 8v.01",
	down: "M12 4v11M7 10.5l5 5 5-5M5 20h14",
	copy: "M9 9h10v11H9zM15 9V4H5v11h4",
	away: "M13 5h6v6M19 5l-8 8M17 14v5H5V7h5",
	print: "M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z",
	plus: "M12 5v14M5 12h14",
	dot: "M12 11.9v.2",
} as const;

export type IconName = keyof typeof PATHS;

export const Icon = ({ name }: { name: IconName }) => (
	<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d={PATHS[name]} /></svg>
);

/** the mark of the house: two arches of a cloister */
export const Mark = () => (
	<svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
		<path d="M6 26V14a5 5 0 0 1 10 0v12M16 26V14a5 5 0 0 1 10 0v12M3 26.5h26" />
	</svg>
);
