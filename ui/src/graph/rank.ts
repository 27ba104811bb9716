// Ranks: in which column each vertex of a layered picture stands. Vertices on a common cycle share a column: closed
// groups feed one another in circles, and cutting those anywhere makes chains as long as there are groups.
/** Adjacency of n vertices in compressed rows: the neighbours of v are `list[start[v]]` to `list[start[v + 1] - 1]`. */
export interface Adjacency {
  start: Int32Array;
  list: Int32Array;
  /** The edge over which each neighbour is reached. */
  edge: Int32Array;
}

/** Neighbours of each vertex along the edges. */
export function adjacency(n: number, from: ArrayLike<number>, to: ArrayLike<number>): Adjacency {
  const m = from.length;
  const start = new Int32Array(n + 1);
  for (let e = 0; e < m; e++) start[from[e]! + 1]!++;
  for (let v = 0; v < n; v++) start[v + 1]! += start[v]!;
  const next = start.slice();
  const list = new Int32Array(m);
  const edge = new Int32Array(m);
  for (let e = 0; e < m; e++) {
    const place = next[from[e]!]!++;
    list[place] = to[e]!;
    edge[place] = e;
  }
  return { start, list, edge };
}

/** The strongly connected component of each vertex (Tarjan 1972, without recursion). */
export function circles(n: number, downs: Adjacency): Int32Array {
  const circle = new Int32Array(n).fill(-1);
  const seen = new Int32Array(n).fill(-1);
  const low = new Int32Array(n);
  const next = downs.start.slice(0, n);
  const held: number[] = [];
  const path: number[] = [];
  let time = 0;
  const enter = (v: number) => {
    seen[v] = low[v] = time++;
    held.push(v);
    path.push(v);
  };
  for (let root = 0; root < n; root++) {
    if (seen[root]! >= 0) continue;
    enter(root);
    while (path.length > 0) {
      const v = path[path.length - 1]!;
      if (next[v]! < downs.start[v + 1]!) {
        const w = downs.list[next[v]!++]!;
        if (seen[w]! < 0) enter(w);
        else if (circle[w]! < 0) low[v] = Math.min(low[v]!, seen[w]!);
        continue;
      }
      path.pop();
      const above = path[path.length - 1];
      if (above !== undefined) low[above] = Math.min(low[above]!, low[v]!);
      if (low[v] !== seen[v]) continue;
      for (let w = -1; w !== v;) {
        w = held.pop()!;
        circle[w] = v;
      }
    }
  }
  return circle;
}

/**
 * The rank of each vertex: the longest way from a source, within its band (bands follow one another, see `bands`).
 * What has no upstream stands right before what it feeds.
 */
export function ranks(
  n: number,
  from: ArrayLike<number>,
  to: ArrayLike<number>,
  band: ArrayLike<number> | null,
): Int32Array {
  const counts = (e: number) => band === null || band[from[e]!] === band[to[e]!];
  const kept: number[] = [];
  for (let e = 0; e < from.length; e++) if (from[e] !== to[e] && counts(e)) kept.push(e);
  const source = Int32Array.from(kept, (e) => from[e]!);
  const target = Int32Array.from(kept, (e) => to[e]!);
  const downs = adjacency(n, source, target);
  const circle = circles(n, downs);
  const cut = Uint8Array.from(source, (v, e) => (circle[v] === circle[target[e]!] ? 1 : 0));
  const rank = longestPaths(n, downs, cut, circle);
  pullSources(n, source, target, cut, downs, rank);
  if (band !== null) shiftBands(n, band, rank);
  return rank;
}

/** Longest ways over circles, each of which is as far right as the furthest of its vertices. */
function longestPaths(n: number, downs: Adjacency, cut: Uint8Array, circle: Int32Array): Int32Array {
  const rank = new Int32Array(n);
  const waits = new Int32Array(n);
  const members = adjacency(
    n,
    circle,
    Int32Array.from({ length: n }, (_, v) => v),
  );
  for (let place = 0; place < downs.list.length; place++) {
    if (!cut[downs.edge[place]!]) waits[circle[downs.list[place]!]!]!++;
  }
  const queue = new Int32Array(n);
  let size = 0;
  for (let v = 0; v < n; v++) if (circle[v] === v && waits[v] === 0) queue[size++] = v;
  for (let head = 0; head < size; head++) {
    const c = queue[head]!;
    for (let i = members.start[c]!; i < members.start[c + 1]!; i++) {
      const v = members.list[i]!;
      rank[v] = rank[c]!;
      for (let place = downs.start[v]!; place < downs.start[v + 1]!; place++) {
        if (cut[downs.edge[place]!]) continue;
        const below = circle[downs.list[place]!]!;
        rank[below] = Math.max(rank[below]!, rank[c]! + 1);
        if (--waits[below]! === 0) queue[size++] = below;
      }
    }
  }
  return rank;
}

function pullSources(
  n: number,
  source: Int32Array,
  target: Int32Array,
  cut: Uint8Array,
  downs: Adjacency,
  rank: Int32Array,
): void {
  const hasUp = new Uint8Array(n);
  for (let e = 0; e < source.length; e++) hasUp[target[e]!] = 1;
  for (let v = 0; v < n; v++) {
    if (hasUp[v] || downs.start[v] === downs.start[v + 1]) continue;
    let nearest = Infinity;
    for (let place = downs.start[v]!; place < downs.start[v + 1]!; place++) {
      if (!cut[downs.edge[place]!]) nearest = Math.min(nearest, rank[downs.list[place]!]!);
    }
    if (nearest < Infinity) rank[v] = Math.max(0, nearest - 1);
  }
}

/** Each band begins right of the one before; bands without vertices take no room. */
function shiftBands(n: number, band: ArrayLike<number>, rank: Int32Array): void {
  const depth = new Map<number, number>();
  for (let v = 0; v < n; v++) depth.set(band[v]!, Math.max(depth.get(band[v]!) ?? 0, rank[v]! + 1));
  const offset = new Map<number, number>();
  let next = 0;
  for (const b of [...depth.keys()].sort((a, c) => a - c)) {
    offset.set(b, next);
    next += depth.get(b)!;
  }
  for (let v = 0; v < n; v++) rank[v]! += offset.get(band[v]!)!;
}

/** The connected component of each vertex, numbered by size (largest first), then by first vertex. */
export function components(n: number, from: ArrayLike<number>, to: ArrayLike<number>): Int32Array {
  const parent = Int32Array.from({ length: n }, (_, v) => v);
  const find = (v: number): number => {
    while (parent[v] !== v) {
      parent[v] = parent[parent[v]!]!;
      v = parent[v]!;
    }
    return v;
  };
  for (let e = 0; e < from.length; e++) {
    const a = find(from[e]!);
    const b = find(to[e]!);
    if (a !== b) parent[Math.max(a, b)] = Math.min(a, b);
  }
  const size = new Int32Array(n);
  for (let v = 0; v < n; v++) size[find(v)]!++;
  const roots = [];
  for (let v = 0; v < n; v++) if (size[v]! > 0) roots.push(v);
  roots.sort((a, b) => size[b]! - size[a]! || a - b);
  const number = new Int32Array(n);
  roots.forEach((root, i) => (number[root] = i));
  return Int32Array.from({ length: n }, (_, v) => number[find(v)]!);
}
