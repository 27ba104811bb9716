// Between two layouts: what is in both moves from where it was to where it is; what is new comes from its group.
import type { GroupBox, Layout } from "./model";

/** The layout on the way from one to another; `share` from 0 to 1. */
export function moved(from: Layout, to: Layout, share: number): Layout {
  const start = startsOf(from, to);
  const x = new Float32Array(to.x.length);
  const y = new Float32Array(to.y.length);
  for (let i = 0; i < x.length; i++) {
    x[i] = start.x[i]! + (to.x[i]! - start.x[i]!) * share;
    y[i] = start.y[i]! + (to.y[i]! - start.y[i]!) * share;
  }
  const boxes = to.boxes.map((box): GroupBox => {
    const was = start.boxes.get(box.key);
    if (was === undefined) return box;
    const part = (a: number, b: number) => a + (b - a) * share;
    return { ...box, x: part(was.x, box.x), y: part(was.y, box.y), w: part(was.w, box.w), h: part(was.h, box.h) };
  });
  return { ...to, x, y, boxes };
}

interface Starts {
  x: Float32Array;
  y: Float32Array;
  boxes: Map<string, { x: number; y: number; w: number; h: number }>;
}

const known = new WeakMap<Layout, { from: Layout; starts: Starts }>();

function startsOf(from: Layout, to: Layout): Starts {
  const memo = known.get(to);
  if (memo?.from === from) return memo.starts;
  const rects = new Map<string, { x: number; y: number; w: number; h: number }>();
  from.keys.forEach((key, i) => rects.set(key, { x: from.x[i]!, y: from.y[i]!, w: from.w[i]!, h: from.h[i]! }));
  for (const box of from.boxes) rects.set(box.key, box);
  const boxes = new Map<string, { x: number; y: number; w: number; h: number }>();
  for (const box of to.boxes) {
    const was = rects.get(box.key);
    if (was !== undefined) boxes.set(box.key, was);
  }
  const x = new Float32Array(to.x.length);
  const y = new Float32Array(to.y.length);
  to.keys.forEach((key, i) => {
    const was = rects.get(key) ?? whereItWas(from, to, i);
    x[i] = was?.x ?? to.x[i]!;
    y[i] = was?.y ?? to.y[i]!;
  });
  const starts = { x, y, boxes };
  known.set(to, { from, starts });
  return starts;
}

/** Where the closed group was that showed an item's node before. */
function whereItWas(from: Layout, to: Layout, i: number): { x: number; y: number } | null {
  const node = to.node[i]!;
  if (node < 0 || node >= from.itemOf.length) return null;
  const item = from.itemOf[node]!;
  return from.node[item]! < 0 ? { x: from.x[item]!, y: from.y[item]! } : null;
}
