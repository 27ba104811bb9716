// What both pictures of a graph share, the near and the far: ground, edges, and the far picture itself, which needs
// nothing but numbers and runs in a worker.
import type { Layout } from "./model";
import type { Palette } from "./palette";
import { overlaps, type Rect, type View } from "./view";

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** The colours of a far picture. */
export interface FarColors {
  solid: string[];
  edge: string;
  lit: string;
  group: string;
}

export function farColors(palette: Palette): FarColors {
  return {
    solid: palette.solid,
    edge: palette.dark ? "rgb(150 155 180)" : "rgb(120 124 150)",
    lit: palette.accent,
    group: palette.border,
  };
}

const EDGES_FAR_MAX = 3_500;
const DIMMED = 0.18;

/**
 * All items of a part of the world as plain rectangles in the tones of their states, and edges, thinned out where there
 * are too many to tell apart. `lit`: what is not is dimmed.
 */
export function paintFar(
  context: Context,
  layout: Layout,
  tone: Uint8Array,
  lit: Uint8Array | null,
  colors: FarColors,
  area: Rect,
  scale: number,
): void {
  context.setTransform(scale, 0, 0, scale, -area.x * scale, -area.y * scale);
  paintFarEdges(context, layout, lit, colors, area, scale);
  paintFarItems(context, layout, tone, lit, colors, area);
}

/** The rectangles alone: quick enough to be painted at once. */
export function paintFarItems(
  context: Context,
  layout: Layout,
  tone: Uint8Array,
  lit: Uint8Array | null,
  colors: FarColors,
  area: Rect,
): void {
  const n = layout.keys.length;
  const byTone = new Map<number, number[]>();
  for (let i = 0; i < n; i++) {
    if (!overlaps(area, layout.x[i]!, layout.y[i]!, layout.w[i]!, layout.h[i]!)) continue;
    const code = tone[i]! * 2 + (lit !== null && !lit[i] ? 1 : 0);
    const list = byTone.get(code);
    if (list === undefined) byTone.set(code, [i]);
    else list.push(i);
  }
  for (const [code, list] of byTone) {
    context.fillStyle = colors.solid[code >> 1] ?? colors.edge;
    context.globalAlpha = code & 1 ? DIMMED : 0.92;
    for (const i of list) context.fillRect(layout.x[i]!, layout.y[i]!, layout.w[i]!, layout.h[i]!);
  }
  context.globalAlpha = 1;
}

function paintFarEdges(
  context: Context,
  layout: Layout,
  lit: Uint8Array | null,
  colors: FarColors,
  area: Rect,
  scale: number,
): void {
  const seen: number[] = [];
  for (let e = 0; e < layout.from.length; e++) if (edgeIn(layout, e, area)) seen.push(e);
  const step = Math.max(1, seen.length / EDGES_FAR_MAX);
  context.lineWidth = 1 / scale;
  context.strokeStyle = colors.edge;
  context.globalAlpha = lit === null ? Math.min(0.5, 0.16 + 60 / Math.max(1, seen.length)) : 0.07;
  context.beginPath();
  for (let at = 0; at < seen.length; at += step) traceEdge(context, layout, seen[Math.floor(at)]!);
  context.stroke();
  if (lit !== null) {
    const bright = seen.filter((e) => lit[layout.from[e]!] && lit[layout.to[e]!]);
    const brightStep = Math.max(1, bright.length / EDGES_FAR_MAX);
    context.strokeStyle = colors.lit;
    context.globalAlpha = 0.5;
    context.beginPath();
    for (let at = 0; at < bright.length; at += brightStep) traceEdge(context, layout, bright[Math.floor(at)]!);
    context.stroke();
  }
  context.globalAlpha = 1;
}

/** Whether an edge may be seen in a part of the world, by the rectangle around its ends. */
export function edgeIn(layout: Layout, e: number, area: Rect): boolean {
  const a = layout.from[e]!;
  const b = layout.to[e]!;
  const x0 = Math.min(layout.x[a]! + layout.w[a]!, layout.x[b]!);
  const x1 = Math.max(layout.x[a]! + layout.w[a]!, layout.x[b]!);
  let y0 = Math.min(layout.y[a]! + layout.h[a]! / 2, layout.y[b]! + layout.h[b]! / 2);
  let y1 = Math.max(layout.y[a]! + layout.h[a]! / 2, layout.y[b]! + layout.h[b]! / 2);
  for (let i = layout.bendStart[e]!; i < layout.bendStart[e + 1]!; i++) {
    y0 = Math.min(y0, layout.bends[2 * i + 1]!);
    y1 = Math.max(y1, layout.bends[2 * i + 1]!);
  }
  return overlaps(area, x0 - 40, y0, x1 - x0 + 80, Math.max(1, y1 - y0));
}

/** Add an edge to the path: from the right side of one item to the left side of another, over its bends. */
export function traceEdge(context: Context, layout: Layout, e: number): void {
  const a = layout.from[e]!;
  const b = layout.to[e]!;
  let x = layout.x[a]! + layout.w[a]!;
  let y = layout.y[a]! + layout.h[a]! / 2;
  context.moveTo(x, y);
  for (let i = layout.bendStart[e]!; i < layout.bendStart[e + 1]!; i++) {
    [x, y] = traceTo(context, x, y, layout.bends[2 * i]!, layout.bends[2 * i + 1]!);
  }
  traceTo(context, x, y, layout.x[b]!, layout.y[b]! + layout.h[b]! / 2);
}

function traceTo(context: Context, x0: number, y0: number, x1: number, y1: number): [number, number] {
  if (y0 === y1 && x1 >= x0) context.lineTo(x1, y1);
  else {
    const reach = x1 > x0 ? (x1 - x0) / 2 : Math.min(160, 40 + (x0 - x1) / 4);
    context.bezierCurveTo(x0 + reach, y0, x1 - reach, y1, x1, y1);
  }
  return [x1, y1];
}

/** Lanes as bands over the whole height, and open groups as boxes. Names are painted later, over everything. */
export function paintGround(
  context: CanvasRenderingContext2D,
  layout: Layout,
  palette: Palette,
  laneTones: readonly number[],
  view: View,
  area: Rect,
): void {
  for (const lane of layout.lanes) {
    context.fillStyle = palette.bg[laneTones[lane.lane] ?? 3]!;
    context.globalAlpha = palette.dark ? 0.28 : 0.34;
    context.fillRect(lane.x, area.y, lane.w, area.h);
    context.globalAlpha = 1;
    context.fillStyle = palette.border;
    context.fillRect(lane.x, area.y, 1 / view.k, area.h);
    context.fillRect(lane.x + lane.w, area.y, 1 / view.k, area.h);
  }
  context.lineWidth = 1 / view.k;
  for (const box of layout.boxes) {
    if (!overlaps(area, box.x, box.y, box.w, box.h)) continue;
    context.beginPath();
    context.roundRect(box.x, box.y, box.w, box.h, 10);
    context.globalAlpha = 0.75;
    context.fillStyle = box.depth % 2 ? palette.surface2 : palette.surface;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = palette.borderStrong;
    context.stroke();
  }
}
