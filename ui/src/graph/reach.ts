// What is above and below nodes, over compressed rows: quick enough to be asked at each move of the pointer.
import { adjacency, type Adjacency } from "./rank";

export interface Links {
  n: number;
  ups: Adjacency;
  downs: Adjacency;
}

export function linksOf(n: number, from: ArrayLike<number>, to: ArrayLike<number>): Links {
  return { n, ups: adjacency(n, to, from), downs: adjacency(n, from, to) };
}

export type Direction = "up" | "down" | "both";

/** The distance of each node from the starts: negative above them, positive below; NaN of what is not reached. */
export function reach(links: Links, starts: Iterable<number>, direction: Direction, depth = Infinity): Float32Array {
  const distance = new Float32Array(links.n).fill(NaN);
  const first = [...starts];
  if (direction !== "down") spread(links.ups, first, depth, -1, distance);
  if (direction !== "up") spread(links.downs, first, depth, 1, distance);
  for (const start of first) distance[start] = 0;
  return distance;
}

function spread(side: Adjacency, starts: number[], depth: number, sign: number, distance: Float32Array): void {
  const seen = new Set(starts);
  let level = starts;
  for (let d = 1; level.length > 0 && d <= depth; d++) {
    const next: number[] = [];
    for (const v of level) {
      for (let place = side.start[v]!; place < side.start[v + 1]!; place++) {
        const w = side.list[place]!;
        if (seen.has(w)) continue;
        seen.add(w);
        if (Number.isNaN(distance[w]!)) distance[w] = d * sign;
        next.push(w);
      }
    }
    level = next;
  }
}

/** The direct neighbours of a node on one side. */
export function neighbours(side: Adjacency, v: number): number[] {
  return [...side.list.subarray(side.start[v]!, side.start[v + 1]!)];
}
