// The heights of vertices in a layered picture: least squares under the order of each column, by pooling adjacent
// violators (Ayer et al. 1955), after which chains are made straight.
import { LARGE, wish, type Columns } from "./columns";
import { GAP_Y } from "./model";

/** How strongly what has no neighbours stays where it is. */
const STILL = 0.05;

/** Move vertices towards their neighbours, in their order and without overlaps, but for wrapped columns (count > 1). */
export function straighten(c: Columns, counts: readonly number[]): void {
  const targets = new Float64Array(c.n);
  const weights = new Float64Array(c.n);
  const pass = (r: number, fromUps: boolean, fromDowns: boolean) => {
    if (counts[r]! > 1) return;
    const column = c.columns[r]!;
    for (const v of column) {
      const wanted = wish(c, v, fromUps, fromDowns);
      targets[v] = wanted ?? c.centre[v]!;
      weights[v] = wanted === null ? STILL : 1;
    }
    place(c, column, targets, weights);
  };
  for (let i = 0; i < (c.n > LARGE ? 1 : 4); i++) {
    for (let r = 1; r < c.columns.length; r++) pass(r, true, false);
    for (let r = c.columns.length - 2; r >= 0; r--) pass(r, false, true);
  }
  for (let r = 0; r < c.columns.length; r++) pass(r, true, true);
  snap(c, counts);
}

/** Make chains exactly straight where there is room: what is a little off looks like a mistake. */
function snap(c: Columns, counts: readonly number[]): void {
  const low = new Float32Array(c.n).fill(-Infinity);
  const high = new Float32Array(c.n).fill(Infinity);
  const reach = (a: number, b: number) => (c.height[a]! + c.height[b]!) / 2 + GAP_Y;
  const next = nextInChain(c);
  const limit = () => {
    c.columns.forEach((column, r) => {
      column.forEach((v, i) => {
        const [above, below] = [column[i - 1], column[i + 1]];
        low[v] = counts[r]! > 1 ? c.centre[v]! : above === undefined ? -Infinity : c.centre[above]! + reach(above, v);
        high[v] = counts[r]! > 1 ? c.centre[v]! : below === undefined ? Infinity : c.centre[below]! - reach(v, below);
      });
    });
  };
  const inner = new Uint8Array(c.n);
  next.forEach((w) => w >= 0 && (inner[w] = 1));
  for (let round = 0; round < 2; round++) {
    limit();
    for (let head = 0; head < c.n; head++) {
      if (inner[head] || next[head]! < 0) continue;
      const chain: number[] = [];
      for (let v = head; v >= 0; v = next[v]!) chain.push(v);
      const least = Math.max(...chain.map((v) => low[v]!));
      const most = Math.min(...chain.map((v) => high[v]!));
      if (least > most) continue;
      const mean = chain.reduce((sum, v) => sum + c.centre[v]!, 0) / chain.length;
      for (const v of chain) c.centre[v] = Math.min(most, Math.max(least, mean));
      for (const v of chain) keepApart(c, v, low, high, reach);
    }
  }
}

/** After a vertex has moved: how far the one above it, and the one below it, may go. */
function keepApart(
  c: Columns,
  v: number,
  low: Float32Array,
  high: Float32Array,
  reach: (a: number, b: number) => number,
): void {
  const column = c.columns[c.column[v]!]!;
  const i = column.indexOf(v);
  const [above, below] = [column[i - 1], column[i + 1]];
  if (above !== undefined) high[above] = Math.min(high[above]!, c.centre[v]! - reach(above, v));
  if (below !== undefined) low[below] = Math.max(low[below]!, c.centre[v]! + reach(v, below));
}

/** The next vertex of each one's chain, or -1: chains are edges that are the only one of both their ends. */
function nextInChain(c: Columns): Int32Array {
  const next = new Int32Array(c.n).fill(-1);
  for (let v = 0; v < c.n; v++) {
    if (c.downs.start[v + 1]! - c.downs.start[v]! !== 1) continue;
    const w = c.downs.list[c.downs.start[v]!]!;
    if (c.ups.start[w + 1]! - c.ups.start[w]! === 1 && c.column[w] !== c.column[v]) next[v] = w;
  }
  return next;
}

/** Centres nearest to their targets (weighted least squares) such that no two of a column overlap. */
function place(c: Columns, column: Int32Array, targets: Float64Array, weights: Float64Array): void {
  const first: number[] = []; // by block: the place in the column where it begins
  const sum: number[] = []; // weighted sum of (target - offset within the block)
  const weight: number[] = [];
  const length: number[] = []; // from the block's top to its bottom, with the gap below
  for (let i = 0; i < column.length; i++) {
    const v = column[i]!;
    const h = c.height[v]!;
    first.push(i);
    sum.push((targets[v]! - h / 2) * weights[v]!);
    weight.push(weights[v]!);
    length.push(h + GAP_Y);
    while (first.length > 1) {
      const last = first.length - 1;
      const above = sum[last - 1]! / weight[last - 1]!;
      if (above + length[last - 1]! <= sum[last]! / weight[last]!) break;
      sum[last - 1]! += sum[last]! - weight[last]! * length[last - 1]!;
      weight[last - 1]! += weight[last]!;
      length[last - 1]! += length[last]!;
      first.pop();
      sum.pop();
      weight.pop();
      length.pop();
    }
  }
  for (let b = 0; b < first.length; b++) {
    let y = sum[b]! / weight[b]!;
    const end = b + 1 < first.length ? first[b + 1]! : column.length;
    for (let i = first[b]!; i < end; i++) {
      const v = column[i]!;
      c.centre[v] = y + c.height[v]! / 2;
      y += c.height[v]! + GAP_Y;
    }
  }
}
