// A Gantt chart's canvas: the bars of the rows in sight, and nothing else.
import { durationText } from "@/app/format";
import { lookOf } from "@/design/states";
import { toneNumber, type Palette } from "@/graph/palette";
import { marks, type Window } from "./axis";
import { densityOf, type Density } from "./density";
import type { Row } from "./rows";
import { endOf, type Timeline } from "./timeline";

export const ROW_H = 26;
const BAR_H = 14;
const BAR_MIN = 2;
const BIN_PX = 2;

/** So many bins: each has some pixels, so that none is drawn over another. */
function binsOf(width: number): number {
  return Math.max(20, Math.floor(width / BIN_PX));
}

/** An attempt before the last one. */
export interface Try {
  start: number;
  end: number;
  outcome: string;
}

export interface Scene {
  timeline: Timeline;
  rows: readonly Row[];
  tries: ReadonlyMap<number, readonly Try[]>;
  window: Window;
  now: number;
  live: boolean;
  selected: number | null;
  hovered: number | null;
  /** Only the critical path stands out. */
  critical: boolean;
  palette: Palette;
  width: number;
  height: number;
  scroll: number;
  densities: Densities;
}

/** The densities of groups, made anew when what they are of has changed. */
export class Densities {
  private known = new WeakMap<readonly number[], { density: Density; key: string }>();
  version = 0;

  of(timeline: Timeline, members: readonly number[], { from, to }: Window, width: number, now: number): Density {
    const bins = binsOf(width);
    const key = `${this.version} ${from} ${to} ${bins}`;
    const found = this.known.get(members);
    if (found?.key === key) return found.density;
    const density = densityOf(timeline, members, from, to, bins, now);
    this.known.set(members, { density, key });
    return density;
  }
}

export function paintGantt(context: CanvasRenderingContext2D, scene: Scene): void {
  const { palette, width, height, scroll, rows } = scene;
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, width, height);
  const first = Math.max(0, Math.floor(scroll / ROW_H));
  const last = Math.min(rows.length, Math.ceil((scroll + height) / ROW_H));
  paintMarks(context, scene);
  for (let r = first; r < last; r++) paintGround(context, scene, rows[r]!, r * ROW_H - scroll);
  if (scene.critical) paintPath(context, scene);
  for (let r = first; r < last; r++) {
    const row = rows[r]!;
    if (row.kind === "group") paintGroup(context, scene, row.members, r * ROW_H - scroll, row.open);
    else paintBar(context, scene, row.i, r * ROW_H - scroll);
  }
  if (scene.live) {
    const x = xOf(scene, scene.now);
    context.fillStyle = palette.solid[toneNumber("blue")]!;
    context.globalAlpha = 0.55;
    context.fillRect(x, 0, 1, height);
    context.globalAlpha = 1;
  }
}

function xOf(scene: Scene, s: number): number {
  return ((s - scene.window.from) / (scene.window.to - scene.window.from)) * scene.width;
}

function paintMarks(context: CanvasRenderingContext2D, scene: Scene): void {
  context.fillStyle = scene.palette.border;
  context.globalAlpha = 0.7;
  for (const { at } of marks(scene.window, scene.width))
    context.fillRect(Math.round(xOf(scene, at)), 0, 1, scene.height);
  context.globalAlpha = 1;
}

function paintGround(context: CanvasRenderingContext2D, scene: Scene, row: Row, y: number): void {
  const i = row.kind === "task" ? row.i : -1;
  if (i < 0 || (i !== scene.selected && i !== scene.hovered)) return;
  context.fillStyle = i === scene.selected ? scene.palette.selected : scene.palette.surface2;
  context.fillRect(0, y, scene.width, ROW_H);
}

function paintGroup(
  context: CanvasRenderingContext2D,
  scene: Scene,
  members: readonly number[],
  y: number,
  open: boolean,
): void {
  const { timeline, window, palette, now } = scene;
  const density = scene.densities.of(timeline, members, window, scene.width, now);
  context.globalAlpha = open ? 0.45 : 1;
  paintDensity(context, density, palette, scene.width, y + ROW_H - 4, open ? 10 : ROW_H - 8);
  context.globalAlpha = 1;
}

/** Bins by state, one upon the other, from a floor up. */
function paintDensity(
  context: CanvasRenderingContext2D,
  density: Density,
  palette: Palette,
  width: number,
  floor: number,
  height: number,
): void {
  const bins = density.bins;
  const base = new Float32Array(bins);
  for (const { state, counts } of density.states) {
    context.fillStyle = palette.solid[toneNumber(lookOf(state).tone)]!;
    for (let b = 0; b < bins; b++) {
      if (counts[b] === 0) continue;
      const x = Math.floor((b / bins) * width);
      const w = Math.floor(((b + 1) / bins) * width) - x;
      const h = Math.max(1.5, (counts[b]! / density.most) * height);
      context.fillRect(x, floor - (base[b]! / density.most) * height - h, w, h);
      base[b]! += counts[b]!;
    }
  }
}

function paintBar(context: CanvasRenderingContext2D, scene: Scene, i: number, y: number): void {
  const { timeline, palette, now, tries } = scene;
  const dimmed = scene.critical && !timeline.critical.has(timeline.no[i]!);
  context.globalAlpha = dimmed ? 0.3 : 1;
  const top = y + (ROW_H - BAR_H) / 2;
  for (const one of tries.get(timeline.no[i]!) ?? []) paintTry(context, scene, one, top);
  const start = timeline.start[i];
  const end = endOf(timeline, i, now);
  const tone = toneNumber(lookOf(timeline.state[i]!).tone);
  if (start === null || start === undefined || end === null) {
    context.globalAlpha = 1;
    return;
  }
  const x = xOf(scene, start);
  const w = Math.max(BAR_MIN, xOf(scene, end) - x);
  if (x > scene.width || x + w < 0) {
    context.globalAlpha = 1;
    return;
  }
  context.fillStyle = palette.solid[tone]!;
  context.beginPath();
  context.roundRect(x, top, w, BAR_H, Math.min(4, w / 2));
  context.fill();
  paintWait(context, scene, i, end, top, tone);
  paintDuration(context, scene, end - start, x, w, y, timeline.attempt[i]!);
  context.globalAlpha = 1;
}

/** What waits after its last attempt - for another one, a time, an answer - has a dashed line up to now. */
function paintWait(
  context: CanvasRenderingContext2D,
  scene: Scene,
  i: number,
  end: number,
  top: number,
  tone: number,
): void {
  const state = scene.timeline.state[i]!;
  if (!scene.live || (state !== "retrying" && state !== "deferred" && state !== "paused")) return;
  context.strokeStyle = scene.palette.solid[tone]!;
  context.lineWidth = 1.5;
  context.setLineDash([4, 3]);
  context.beginPath();
  context.moveTo(xOf(scene, end), top + BAR_H / 2);
  context.lineTo(xOf(scene, scene.now), top + BAR_H / 2);
  context.stroke();
  context.setLineDash([]);
}

function paintTry(context: CanvasRenderingContext2D, scene: Scene, one: Try, top: number): void {
  const tone = toneNumber(lookOf(one.outcome).tone);
  const x = xOf(scene, one.start);
  const w = Math.max(BAR_MIN, xOf(scene, one.end) - x);
  context.fillStyle = scene.palette.bg[tone]!;
  context.strokeStyle = scene.palette.solid[tone]!;
  context.lineWidth = 1;
  context.beginPath();
  context.roundRect(x + 0.5, top + 0.5, w, BAR_H - 1, Math.min(4, w / 2));
  context.fill();
  context.stroke();
}

function paintDuration(
  context: CanvasRenderingContext2D,
  scene: Scene,
  s: number,
  x: number,
  w: number,
  y: number,
  attempt: number,
): void {
  const text = attempt > 1 ? `${durationText(s)} · attempt ${attempt}` : durationText(s);
  context.font = `500 10.5px ${scene.palette.font}`;
  context.textBaseline = "middle";
  const width = context.measureText(text).width;
  const after = x + w + 6;
  const middle = y + ROW_H / 2 + 0.5;
  context.fillStyle = scene.palette.dim;
  if (after + width < scene.width) context.fillText(text, Math.max(6, after), middle);
  else if (x - width - 6 > 0) context.fillText(text, x - width - 6, middle);
}

/** The critical path as a line from bar to bar, over the rows that are shown. */
function paintPath(context: CanvasRenderingContext2D, scene: Scene): void {
  const { timeline, palette, now } = scene;
  const rowOf = new Map<number, number>();
  scene.rows.forEach((row, r) => {
    if (row.kind === "task" && timeline.critical.has(timeline.no[row.i]!)) rowOf.set(timeline.no[row.i]!, r);
  });
  context.strokeStyle = palette.solid[toneNumber("orange")]!;
  context.lineWidth = 1.6;
  context.beginPath();
  let from: { x: number; y: number } | null = null;
  for (const no of timeline.critical) {
    const r = rowOf.get(no);
    const i = timeline.indexOf.get(no);
    const start = i === undefined ? null : timeline.start[i];
    if (r === undefined || i === undefined || start === null || start === undefined) continue;
    const y = r * ROW_H - scene.scroll + ROW_H / 2;
    const x = xOf(scene, start);
    if (from !== null) {
      context.moveTo(from.x, from.y);
      context.bezierCurveTo(from.x + 10, from.y, x - 10, y, x, y);
    }
    from = { x: xOf(scene, endOf(timeline, i, now)!), y };
  }
  context.stroke();
}

export const OVERVIEW_H = 30;
const OVERVIEW_TOP = 4;

/** The whole run as one strip, with the window that the chart shows. */
export function paintOverview(
  context: CanvasRenderingContext2D,
  scene: Pick<Scene, "timeline" | "palette" | "width" | "window" | "now" | "densities">,
  bounds: Window,
  all: readonly number[],
): void {
  const { palette, width, window } = scene;
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, width, OVERVIEW_H);
  const density = scene.densities.of(scene.timeline, all, bounds, width, scene.now);
  context.globalAlpha = 0.75;
  paintDensity(context, density, palette, width, OVERVIEW_H - 2, OVERVIEW_H - OVERVIEW_TOP - 2);
  context.globalAlpha = 1;
  const scale = width / (bounds.to - bounds.from);
  const [left, right] = [(window.from - bounds.from) * scale, (window.to - bounds.from) * scale];
  context.fillStyle = palette.page;
  context.globalAlpha = 0.72;
  context.fillRect(0, 0, left, OVERVIEW_H);
  context.fillRect(right, 0, width - right, OVERVIEW_H);
  context.globalAlpha = 1;
  context.strokeStyle = palette.accent;
  context.lineWidth = 1.5;
  context.strokeRect(left + 0.75, 0.75, Math.max(2, right - left - 1.5), OVERVIEW_H - 1.5);
}

/** The index of the task run at a height, or -1. */
export function rowAt(scroll: number, y: number, rows: readonly Row[]): number {
  const r = Math.floor((scroll + y) / ROW_H);
  return r >= 0 && r < rows.length ? r : -1;
}
