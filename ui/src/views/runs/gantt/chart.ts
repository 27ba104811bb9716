// The moving parts of a Gantt chart without React: where one looks, gestures, and when to paint. The chart follows the
// run until somebody zooms or pans.
import { readPalette, watchPalette, type Palette } from "@/graph/palette";
import { marks, within, zoomedTo, type Window } from "./axis";
import { Densities, OVERVIEW_H, paintGantt, paintOverview, rowAt, ROW_H, type Try } from "./paint";
import type { Row } from "./rows";
import { nowOf, spanOf, type Timeline } from "./timeline";

export interface Shown {
  timeline: Timeline;
  rows: readonly Row[];
  tries: ReadonlyMap<number, readonly Try[]>;
  live: boolean;
  selected: number | null;
  critical: boolean;
}

interface Parts {
  scroller: HTMLElement;
  canvas: HTMLCanvasElement;
  overview: HTMLCanvasElement;
  axis: HTMLElement;
}

const CLICK_PX = 4;
const WHEEL = 0.0018;
const FRAME_MS_MIN = 33;
const FRAME_MS_MAX = 500;

export class Chart {
  onPick: (i: number) => void = () => {};
  onToggle: (group: string) => void = () => {};
  onHover: (i: number | null, at: { x: number; y: number }) => void = () => {};
  /** Told whether the chart shows the whole run. */
  onFollow: (follows: boolean) => void = () => {};
  private shown: Shown | null = null;
  private window: Window | null = null;
  private palette: Palette = readPalette();
  private readonly densities = new Densities();
  private all: readonly number[] = [];
  private hovered: number | null = null;
  private width = 0;
  private height = 0;
  private ratio = 1;
  private frame = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private drag: { x: number; window: Window; moved: boolean; onOverview: boolean } | null = null;
  private readonly stops: (() => void)[] = [];

  constructor(private readonly parts: Parts) {
    const watcher = new ResizeObserver(() => this.resize());
    watcher.observe(parts.canvas);
    this.stops.push(() => watcher.disconnect());
    this.stops.push(
      watchPalette(() => {
        this.palette = readPalette();
        this.invalidate();
      }),
    );
    this.listen();
    this.resize();
  }

  close(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    for (const stop of this.stops) stop();
  }

  show(shown: Shown): void {
    if (this.shown?.timeline !== shown.timeline) this.all = shown.timeline.no.map((_, i) => i);
    this.shown = shown;
    this.densities.version++;
    this.invalidate();
  }

  /** The timeline has been changed in place. */
  changed(): void {
    this.densities.version++;
    this.invalidate();
  }

  follow(): void {
    this.setWindow(null);
  }

  zoom(factor: number): void {
    const { window, bounds } = this.where();
    this.setWindow(zoomedTo(window, factor, (window.from + window.to) / 2, bounds));
  }

  /** Zoom to a task run, with a little around it. */
  zoomTo(i: number): void {
    const { bounds } = this.where();
    const start = this.shown?.timeline.start[i];
    if (start === null || start === undefined) return;
    const end = this.shown!.timeline.end[i] ?? this.now();
    const pad = Math.max(0.01, (end - start) * 0.4);
    this.setWindow(within({ from: start - pad, to: end + pad }, bounds));
  }

  private setWindow(window: Window | null): void {
    const { bounds } = this.where();
    const all = window === null || window.to - window.from >= (bounds.to - bounds.from) * 0.999;
    this.window = all ? null : window;
    this.onFollow(all);
    this.densities.version++;
    this.invalidate();
  }

  private now(): number {
    return this.shown === null ? 0 : nowOf(this.shown.timeline, performance.now());
  }

  private where(): { window: Window; bounds: Window; now: number } {
    const now = this.now();
    if (this.shown === null) return { window: { from: 0, to: 1 }, bounds: { from: 0, to: 1 }, now };
    const span = spanOf(this.shown.timeline, now);
    const length = span.to - span.from;
    // Room for the text behind the last bar.
    const bounds = { from: span.from - length * 0.01, to: span.to + length * 0.07 };
    return { window: this.window ?? bounds, bounds, now };
  }

  // ---- painting ----

  private resize(): void {
    const { canvas, overview } = this.parts;
    this.ratio = Math.min(2, window.devicePixelRatio || 1);
    this.width = canvas.clientWidth;
    this.height = canvas.clientHeight;
    for (const [one, h] of [
      [canvas, this.height],
      [overview, OVERVIEW_H],
    ] as const) {
      one.width = Math.max(1, Math.round(this.width * this.ratio));
      one.height = Math.max(1, Math.round(h * this.ratio));
    }
    this.densities.version++;
    this.paint();
  }

  invalidate(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.paint());
  }

  private paint(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const context = this.parts.canvas.getContext("2d");
    const strip = this.parts.overview.getContext("2d");
    if (this.shown === null || context === null || strip === null || this.width === 0) return;
    const { window: shownWindow, bounds, now } = this.where();
    const scene = {
      ...this.shown,
      window: shownWindow,
      now,
      hovered: this.hovered,
      palette: this.palette,
      width: this.width,
      height: this.height,
      scroll: this.parts.scroller.scrollTop,
      densities: this.densities,
    };
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    paintGantt(context, scene);
    strip.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    paintOverview(strip, scene, bounds, this.all);
    this.writeAxis(shownWindow);
    if (this.shown.live) this.again(shownWindow);
  }

  /** While the run goes on, paint anew when now has moved by a pixel. */
  private again(shownWindow: Window): void {
    clearTimeout(this.timer);
    const ms = ((shownWindow.to - shownWindow.from) / Math.max(1, this.width)) * 1000;
    this.timer = setTimeout(
      () => {
        this.densities.version++;
        this.invalidate();
      },
      Math.min(FRAME_MS_MAX, Math.max(FRAME_MS_MIN, ms)),
    );
  }

  private writeAxis(shownWindow: Window): void {
    const scale = this.width / (shownWindow.to - shownWindow.from);
    const found = marks(shownWindow, this.width);
    const { axis } = this.parts;
    while (axis.childElementCount > found.length) axis.lastElementChild!.remove();
    while (axis.childElementCount < found.length) axis.append(document.createElement("span"));
    found.forEach(({ at, label }, i) => {
      const mark = axis.children[i] as HTMLElement;
      mark.style.transform = `translateX(${Math.round((at - shownWindow.from) * scale)}px)`;
      if (mark.textContent !== label) mark.textContent = label;
    });
  }

  // ---- gestures ----

  private listen(): void {
    const { canvas, overview, scroller } = this.parts;
    const on = <K extends keyof HTMLElementEventMap>(
      element: HTMLElement,
      name: K,
      heard: (event: HTMLElementEventMap[K]) => void,
    ) => {
      element.addEventListener(name, heard, { passive: false });
      this.stops.push(() => element.removeEventListener(name, heard));
    };
    on(scroller, "scroll", () => this.invalidate());
    on(canvas, "wheel", (event) => this.wheel(event));
    on(canvas, "pointerdown", (event) => this.press(event, false));
    on(overview, "pointerdown", (event) => this.press(event, true));
    for (const element of [canvas, overview]) {
      on(element, "pointermove", (event) => this.move(event));
      on(element, "pointerup", (event) => this.release(event));
      on(element, "pointercancel", () => (this.drag = null));
    }
    on(canvas, "pointerleave", (event) => this.point(null, event));
    on(canvas, "dblclick", (event) => {
      const row = this.rowOf(event);
      if (row?.kind === "task") this.zoomTo(row.i);
      else this.follow();
    });
    on(overview, "dblclick", () => this.follow());
  }

  private rowOf(event: MouseEvent): Row | null {
    const y = event.clientY - this.parts.canvas.getBoundingClientRect().top;
    const r = this.shown === null ? -1 : rowAt(this.parts.scroller.scrollTop, y, this.shown.rows);
    return r < 0 ? null : this.shown!.rows[r]!;
  }

  private wheel(event: WheelEvent): void {
    const { window: shownWindow, bounds } = this.where();
    const scale = (shownWindow.to - shownWindow.from) / Math.max(1, this.width);
    if (event.ctrlKey || event.metaKey || event.altKey) {
      event.preventDefault();
      const x = event.clientX - this.parts.canvas.getBoundingClientRect().left;
      this.setWindow(zoomedTo(shownWindow, Math.exp(-event.deltaY * WHEEL * 2), shownWindow.from + x * scale, bounds));
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      const dx = (event.deltaX || event.deltaY) * scale;
      this.setWindow(within({ from: shownWindow.from + dx, to: shownWindow.to + dx }, bounds));
    }
  }

  private press(event: PointerEvent, onOverview: boolean): void {
    if (event.button !== 0) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    this.drag = { x: event.clientX, window: this.where().window, moved: false, onOverview };
    if (onOverview) this.move(event);
  }

  private move(event: PointerEvent): void {
    const { drag } = this;
    if (drag === null) {
      if (event.currentTarget === this.parts.canvas) this.point(this.rowOf(event), event);
      return;
    }
    const { bounds } = this.where();
    if (drag.onOverview) {
      const box = this.parts.overview.getBoundingClientRect();
      const at = bounds.from + ((event.clientX - box.left) / box.width) * (bounds.to - bounds.from);
      const whole = drag.window.to - drag.window.from >= (bounds.to - bounds.from) * 0.95;
      const half = (whole ? (bounds.to - bounds.from) / 5 : drag.window.to - drag.window.from) / 2;
      this.setWindow(within({ from: at - half, to: at + half }, bounds));
      return;
    }
    const dx = event.clientX - drag.x;
    if (!drag.moved && Math.abs(dx) < CLICK_PX) return;
    drag.moved = true;
    const scale = (drag.window.to - drag.window.from) / Math.max(1, this.width);
    this.setWindow(within({ from: drag.window.from - dx * scale, to: drag.window.to - dx * scale }, bounds));
  }

  private release(event: PointerEvent): void {
    const { drag } = this;
    this.drag = null;
    if (drag === null || drag.moved || drag.onOverview) return;
    const row = this.rowOf(event);
    if (row?.kind === "task") this.onPick(row.i);
    else if (row?.kind === "group") this.onToggle(row.key);
  }

  private point(row: Row | null, event: MouseEvent): void {
    const i = row?.kind === "task" ? row.i : null;
    const box = this.parts.canvas.getBoundingClientRect();
    this.onHover(i, { x: event.clientX - box.left, y: event.clientY - box.top });
    if (i === this.hovered) return;
    this.hovered = i;
    this.invalidate();
  }

  /** Scroll a row into sight. */
  reveal(r: number): void {
    const { scroller } = this.parts;
    const top = r * ROW_H;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + ROW_H > scroller.scrollTop + this.height) scroller.scrollTop = top + ROW_H - this.height;
  }
}
