// One layered picture: some kids of a group in columns, the edges between them from left to right.
//
// A column that would be far taller than the picture is wide is wrapped into several. Edges that leap over columns get
// a bend in each of them, which takes part in the order like a thin vertex, unless there are too many.
import { columnsOf, order, orderLike, type Columns } from "./columns";
import type { Field } from "./fields";
import { straighten } from "./heights";
import { GAP_X, GAP_Y, LANE_PAD, NODE_H, type Places } from "./model";
import type { Block } from "./pack";
import { components, ranks } from "./rank";

const BENDS_MAX = 1500;
const BEND_H = 8;
const WEIGHT_MAX = 4;
const BEND_WEIGHT = 4;
/** Of edges that are the only one of both ends: those are to be straight. */
const CHAIN_WEIGHT = 8;
export const WRAP_GAP = 20;
export const ASPECT = 1.7;
const ROWS_MIN = 12;
const WRAP_OVER = 1.3;
const KNOWN_SHARE = 0.5;

/** Which kids of a field, and which of its edges, make one picture. */
export interface Part {
  kids: number[];
  pairs: number[];
}

/** An edge that leaps over columns. */
interface Chain {
  edge: number;
  ranks: number[];
}

/** The picture of a part. With `laned` the kids of each lane stand right of those of the lane before. */
export function layered(field: Field, part: Part, laned: boolean, previous: Places | null): Block {
  const kids = part.kids.map((kid) => field.container.kids![kid]!);
  const local = new Int32Array(field.pull.length);
  part.kids.forEach((kid, v) => (local[kid] = v));
  const from = part.pairs.map((pair) => local[field.from[pair]!]!);
  const to = part.pairs.map((pair) => local[field.to[pair]!]!);
  const rank = ranks(kids.length, from, to, laned ? kids.map((kid) => kid.lane) : null);
  const height = Float32Array.from(kids, (kid) => kid.h);
  const limit = heightLimit(kids);
  const wraps = columnHeights(rank, height).map((total) => total > limit * WRAP_OVER);
  const chains = wraps.includes(true) ? [] : chainsOf(rank, from, to);
  const weight = part.pairs.map((pair) => Math.min(WEIGHT_MAX, field.weight[pair]!));
  const c = withBends(rank, height, from, to, weight, chains);
  part.kids.forEach((kid, v) => {
    c.pull[v] = field.pull[kid]!;
    c.pullWeight[v] = field.pullWeight[kid]!;
  });
  orderColumns(
    c,
    kids.map((kid) => kid.key),
    previous,
  );
  const counts = c.columns.map((column, r) => (wraps[r] ? wrap(c, column, limit) : 1));
  straighten(c, counts);
  return placed(c, field, part, counts, chains, laned);
}

function heightLimit(kids: { w: number; h: number }[]): number {
  let area = 0;
  let tallest = 0;
  for (const kid of kids) {
    area += (kid.w + WRAP_GAP) * (kid.h + GAP_Y);
    tallest = Math.max(tallest, kid.h);
  }
  return Math.max(tallest, Math.sqrt(area / ASPECT), ROWS_MIN * (NODE_H + GAP_Y));
}

function columnHeights(rank: Int32Array, height: Float32Array): number[] {
  const totals: number[] = [];
  rank.forEach((r, v) => (totals[r] = (totals[r] ?? 0) + height[v]! + GAP_Y));
  return Array.from(totals, (total) => total ?? 0);
}

function chainsOf(rank: Int32Array, from: number[], to: number[]): Chain[] {
  const chains: Chain[] = [];
  let bends = 0;
  for (let e = 0; e < from.length; e++) {
    const first = rank[from[e]!]! + 1;
    const last = rank[to[e]!]!;
    if (last <= first) continue;
    bends += last - first;
    if (bends > BENDS_MAX) return [];
    chains.push({ edge: e, ranks: Array.from({ length: last - first }, (_, i) => first + i) });
  }
  return chains;
}

/** The columns, with the bends as vertices behind the real ones, in the order of the chains. */
function withBends(
  rank: Int32Array,
  height: Float32Array,
  from: number[],
  to: number[],
  weight: number[],
  chains: Chain[],
): Columns {
  const n = rank.length;
  const allRanks = [...rank];
  const chained = new Set(chains.map((chain) => chain.edge));
  const source: number[] = [];
  const target: number[] = [];
  const weights: number[] = [];
  const add = (a: number, b: number, w: number) => {
    source.push(a);
    target.push(b);
    weights.push(w);
  };
  for (let e = 0; e < from.length; e++) if (!chained.has(e)) add(from[e]!, to[e]!, weight[e]!);
  const outs = new Int32Array(n);
  const ins = new Int32Array(n);
  from.forEach((v) => outs[v]!++);
  to.forEach((v) => ins[v]!++);
  source.forEach((v, e) => {
    if (outs[v] === 1 && ins[target[e]!] === 1) weights[e] = CHAIN_WEIGHT;
  });
  for (const { edge, ranks: over } of chains) {
    let last = from[edge]!;
    for (const r of over) {
      const bend = allRanks.push(r) - 1;
      add(last, bend, last < n ? weight[edge]! : BEND_WEIGHT);
      last = bend;
    }
    add(last, to[edge]!, weight[edge]!);
  }
  const heights = new Float32Array(allRanks.length).fill(BEND_H);
  heights.set(height);
  const sources = Int32Array.from(source);
  const targets = Int32Array.from(target);
  const component = components(allRanks.length, sources, targets);
  return columnsOf(Int32Array.from(allRanks), heights, component, sources, targets, Float32Array.from(weights));
}

function orderColumns(c: Columns, keys: string[], previous: Places | null): void {
  const before = previous === null ? [] : keys.map((key) => previous.get(key));
  const known = before.reduce((count, place) => count + (place === undefined ? 0 : 1), 0);
  if (known > 0 && known >= keys.length * KNOWN_SHARE) orderLike(c, before);
  else order(c);
}

/** Several columns for one, filled row by row, so that heights still follow the order; returns how many. */
function wrap(c: Columns, column: Int32Array, limit: number): number {
  let total = 0;
  for (const v of column) total += c.height[v]! + GAP_Y;
  const count = Math.max(2, Math.ceil(total / limit));
  let y = 0;
  for (let i = 0; i < column.length; i += count) {
    const row = column.subarray(i, i + count);
    const tallest = row.reduce((most, v) => Math.max(most, c.height[v]!), 0);
    for (const v of row) c.centre[v] = y + c.height[v]! / 2;
    y += tallest + GAP_Y;
  }
  for (const v of column) c.centre[v]! -= y / 2;
  return count;
}

/** From heights to a block: columns get their left sides, everything moves to the corner. */
function placed(c: Columns, field: Field, part: Part, counts: number[], chains: Chain[], laned: boolean): Block {
  const n = part.kids.length;
  const kids = part.kids.map((kid) => field.container.kids![kid]!);
  let top = Infinity;
  let bottom = -Infinity;
  for (let v = 0; v < c.n; v++) {
    top = Math.min(top, c.centre[v]! - c.height[v]! / 2);
    bottom = Math.max(bottom, c.centre[v]! + c.height[v]! / 2);
  }
  const places: Block["places"] = [];
  const left = new Float32Array(c.columns.length);
  const right = new Float32Array(c.columns.length);
  let x = laned ? LANE_PAD : 0;
  let lane = -1;
  c.columns.forEach((column, r) => {
    const real = column.filter((v) => v < n);
    const count = counts[r]!;
    const widths: number[] = new Array(count).fill(0);
    real.forEach((v, i) => (widths[i % count] = Math.max(widths[i % count]!, kids[v]!.w)));
    if (laned && real.length > 0 && kids[real[0]!]!.lane !== lane) {
      if (lane >= 0) x += 2 * LANE_PAD - GAP_X / 2;
      lane = kids[real[0]!]!.lane;
    }
    const lefts = widths.map((_, i) => widths.slice(0, i).reduce((sum, width) => sum + width + WRAP_GAP, x));
    left[r] = x;
    right[r] = lefts[count - 1]! + widths[count - 1]!;
    real.forEach((v, i) => {
      places.push({ kid: part.kids[v]!, x: lefts[i % count]!, y: c.centre[v]! - c.height[v]! / 2 - top });
    });
    if (laned) field.lanes.set(lane, { left: field.lanes.get(lane)?.left ?? x, right: right[r]! });
    x = right[r]! + GAP_X;
  });
  const bends: Block["bends"] = [];
  let bend = n;
  for (const { edge, ranks: over } of chains) {
    const points: number[] = [];
    for (const r of over) {
      const y = c.centre[bend++]! - top;
      points.push(left[r]!, y, right[r]!, y);
    }
    bends.push({ pair: part.pairs[edge]!, points });
  }
  return { x: 0, y: 0, w: x - GAP_X + (laned ? LANE_PAD : 0), h: bottom - top, places, bends };
}
