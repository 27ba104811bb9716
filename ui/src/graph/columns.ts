// The order of vertices within the columns of a layered picture, by barycentres (Sugiyama, Tagawa and Toda 1981).
//
// Surprising: all sweeps work on vertical centres rather than on places in the order, because an edge may leap over
// columns, and a column of 1,000 stands beside one of 3.
import { GAP_Y } from "./model";
import { adjacency, type Adjacency } from "./rank";

/** One layered picture: vertices in columns, edges between them. */
export interface Columns {
  n: number;
  height: Float32Array;
  from: Int32Array;
  to: Int32Array;
  weight: Float32Array;
  ups: Adjacency;
  downs: Adjacency;
  /** The vertices of each column, top to bottom. */
  columns: Int32Array[];
  /** The column of each vertex. */
  column: Int32Array;
  /** What belongs together stays together: the major key of every order. */
  component: Int32Array;
  centre: Float32Array;
  /** Where each vertex is drawn to from outside of the picture, and how strongly. */
  pull: Float32Array;
  pullWeight: Float32Array;
}

const SWEEPS = 4;
const SWEEPS_LARGE = 2;
export const LARGE = 3000;
const SWAPS_MAX = 1500;

/** The picture with the vertices of each column in the order of their numbers. */
export function columnsOf(
  rank: Int32Array,
  height: Float32Array,
  component: Int32Array,
  from: Int32Array,
  to: Int32Array,
  weight: Float32Array,
): Columns {
  const n = rank.length;
  const lists: number[][] = [];
  for (let v = 0; v < n; v++) (lists[rank[v]!] ??= []).push(v);
  const columns = Array.from(lists, (list) => Int32Array.from(list ?? []));
  const c: Columns = {
    n,
    height,
    from,
    to,
    weight,
    ups: adjacency(n, to, from),
    downs: adjacency(n, from, to),
    columns,
    column: rank,
    component,
    centre: new Float32Array(n),
    pull: new Float32Array(n),
    pullWeight: new Float32Array(n),
  };
  for (const column of columns) stack(c, column);
  return c;
}

/** Put a column's vertices one below the other, around zero. */
export function stack(c: Columns, column: Int32Array): void {
  let total = -GAP_Y;
  for (const v of column) total += c.height[v]! + GAP_Y;
  let y = -total / 2;
  for (const v of column) {
    c.centre[v] = y + c.height[v]! / 2;
    y += c.height[v]! + GAP_Y;
  }
}

// ---- order ----

/** Order the columns so that edges cross little. */
export function order(c: Columns): void {
  const large = c.n > LARGE;
  const small = c.n + c.from.length <= SWAPS_MAX;
  let best: Int32Array[] | null = null;
  let fewest = Infinity;
  for (let i = 0; i < (large ? SWEEPS_LARGE : SWEEPS); i++) {
    for (let r = 0; r < c.columns.length; r++) sortColumn(c, c.columns[r]!, true, i > 0);
    for (let r = c.columns.length - 1; r >= 0; r--) sortColumn(c, c.columns[r]!, i > 0, true);
    if (!small) continue;
    swap(c);
    const crossings = countCrossings(c);
    if (crossings < fewest) {
      fewest = crossings;
      best = c.columns.map((column) => column.slice());
    }
    if (crossings === 0) break;
  }
  if (best !== null) {
    c.columns = best;
    for (const column of c.columns) stack(c, column);
  }
}

/** Keep the order of what was seen before (`before`, by vertex); the rest joins its neighbours. */
export function orderLike(c: Columns, before: readonly ({ x: number; y: number } | undefined)[]): void {
  const left = new Float32Array(c.n);
  before.forEach((place, v) => {
    if (place === undefined) return;
    c.centre[v] = place.y;
    left[v] = place.x;
  });
  for (const column of c.columns) {
    for (const v of column) if (before[v] === undefined) c.centre[v] = wish(c, v, true, true) ?? Infinity;
    column.sort((a, b) => {
      if (c.component[a] !== c.component[b]) return c.component[a]! - c.component[b]!;
      // What was wrapped stands in rows: those of one height follow one another to the right.
      return c.centre[a]! - c.centre[b]! || left[a]! - left[b]! || a - b;
    });
    stack(c, column);
  }
}

/** Where a vertex's neighbours, and what is outside, would have it; null: nowhere in particular. */
export function wish(c: Columns, v: number, fromUps: boolean, fromDowns: boolean): number | null {
  let sum = c.pull[v]! * c.pullWeight[v]!;
  let weights = c.pullWeight[v]!;
  if (fromUps) {
    for (let place = c.ups.start[v]!; place < c.ups.start[v + 1]!; place++) {
      const weight = c.weight[c.ups.edge[place]!]!;
      sum += c.centre[c.ups.list[place]!]! * weight;
      weights += weight;
    }
  }
  if (fromDowns) {
    for (let place = c.downs.start[v]!; place < c.downs.start[v + 1]!; place++) {
      const weight = c.weight[c.downs.edge[place]!]!;
      sum += c.centre[c.downs.list[place]!]! * weight;
      weights += weight;
    }
  }
  return weights === 0 ? null : sum / weights;
}

const wished = { list: new Float64Array(0) };

function sortColumn(c: Columns, column: Int32Array, fromUps: boolean, fromDowns: boolean): void {
  if (column.length < 2) return;
  if (wished.list.length < c.n) wished.list = new Float64Array(c.n);
  const wishes = wished.list;
  for (const v of column) wishes[v] = wish(c, v, fromUps, fromDowns) ?? c.centre[v]!;
  // The sort is stable: equal wishes keep their order.
  column.sort((a, b) => c.component[a]! - c.component[b]! || wishes[a]! - wishes[b]!);
  stack(c, column);
}

/** Swap neighbours in a column while that makes edges cross less. */
function swap(c: Columns): void {
  for (const column of c.columns) {
    let improved = true;
    for (let round = 0; improved && round < 4; round++) {
      improved = false;
      for (let i = 0; i + 1 < column.length; i++) {
        const a = column[i]!;
        const b = column[i + 1]!;
        if (c.component[a] !== c.component[b]) continue;
        if (crossingsOf(c, a, b) > crossingsOf(c, b, a)) {
          column[i] = b;
          column[i + 1] = a;
          improved = true;
        }
      }
    }
    stack(c, column);
  }
}

/** How often the edges of a cross those of b, with a above b. */
function crossingsOf(c: Columns, a: number, b: number): number {
  let count = 0;
  for (const side of [c.ups, c.downs]) {
    for (let i = side.start[a]!; i < side.start[a + 1]!; i++) {
      for (let j = side.start[b]!; j < side.start[b + 1]!; j++) {
        if (c.centre[side.list[i]!]! > c.centre[side.list[j]!]!) {
          count += c.weight[side.edge[i]!]! * c.weight[side.edge[j]!]!;
        }
      }
    }
  }
  return count;
}

/** All crossings between neighbouring columns; for small pictures. */
export function countCrossings(c: Columns): number {
  const byColumn = new Map<number, number[]>();
  for (let e = 0; e < c.from.length; e++) {
    const r = c.column[c.from[e]!]!;
    if (c.column[c.to[e]!] !== r + 1) continue;
    const edges = byColumn.get(r);
    if (edges === undefined) byColumn.set(r, [e]);
    else edges.push(e);
  }
  let count = 0;
  for (const edges of byColumn.values()) {
    for (let i = 0; i < edges.length; i++) {
      for (let j = i + 1; j < edges.length; j++) {
        const e = edges[i]!;
        const f = edges[j]!;
        const above = c.centre[c.from[e]!]! - c.centre[c.from[f]!]!;
        const below = c.centre[c.to[e]!]! - c.centre[c.to[f]!]!;
        if (above * below < 0) count++;
      }
    }
  }
  return count;
}
