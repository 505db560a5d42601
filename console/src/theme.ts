// Light, dark, or as the system says. The choice is the only thing that the console keeps in the browser.

export type Theme = "system" | "light" | "dark";
const KEY = "cloister-theme";

export function savedTheme(): Theme {
	try {
		const saved = localStorage.getItem(KEY);
		return saved === "light" || saved === "dark" ? saved : "system";
	} catch {
		return "system"; // storage may be forbidden
	}
}

export function applyTheme(theme: Theme): void {
	if (theme === "system") delete document.documentElement.dataset["theme"];
	else document.documentElement.dataset["theme"] = theme;
	try {
		if (theme === "system") localStorage.removeItem(KEY);
		else localStorage.setItem(KEY, theme);
	} catch { /* then it holds until the reload */ }
}
