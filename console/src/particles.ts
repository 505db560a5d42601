// Marks that run along the ways of the drawing. Few, short-lived, and only there while something moves: an idle house costs nothing.

import type { Kind } from "./flow_layout";

const SHAPES: Record<Kind, string> = { identified: "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0", deidentified: "M-4-4H4V4H-4Z", released: "M0-6L6 0L0 6L-6 0Z" };
const AT_ONCE_MAX = 80;

interface Mark { element: SVGPathElement; way: SVGPathElement; length: number; start: number; lasts: number }

export class Particles {
	private marks: Mark[] = [];
	private frame = 0;

	constructor(private readonly layer: SVGGElement) {}

	/** ${n} marks, spread over the second until the next look */
	add(way: SVGPathElement, kind: Kind, n: number): void {
		const now = performance.now();
		const length = way.getTotalLength();
		for (let i = 0; i < n && this.marks.length < AT_ONCE_MAX; i++) {
			const element = document.createElementNS("http://www.w3.org/2000/svg", "path");
			element.setAttribute("class", `particle ${kind}`);
			element.setAttribute("d", SHAPES[kind]);
			element.setAttribute("visibility", "hidden");
			this.layer.append(element);
			this.marks.push({ element, way, length, start: now + (i / n) * 1000 + Math.random() * 60, lasts: 700 + Math.min(900, length * 5) });
		}
		if (!this.frame) this.frame = requestAnimationFrame(this.step);
	}

	clear(): void {
		cancelAnimationFrame(this.frame);
		this.frame = 0;
		for (const m of this.marks) m.element.remove();
		this.marks = [];
	}

	private step = (now: number): void => {
		this.marks = this.marks.filter(m => {
			const t = (now - m.start) / m.lasts;
			if (t >= 1) { m.element.remove(); return false; }
			if (t >= 0) {
				const eased = t < 0.5 ? 2 * t * t : 1 - 2 * (1 - t) * (1 - t);
				const p = m.way.getPointAtLength(eased * m.length);
				m.element.setAttribute("transform", `translate(${p.x.toFixed(1)} ${p.y.toFixed(1)})`);
				m.element.setAttribute("visibility", "visible");
			}
			return true;
		});
		this.frame = this.marks.length ? requestAnimationFrame(this.step) : 0;
	};
}
