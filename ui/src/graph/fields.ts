// The edges of a tree of groups. An edge belongs to the open group in which its ends part (its field), as an edge
// between two kids there; in the groups below it pulls a kid towards something outside.
import type { GraphInput } from "./model";
import type { Thing, Tree } from "./tree";

/** Edges between leaves; those that join the same two are one, with a weight. */
export interface Edges {
  from: Int32Array;
  to: Int32Array;
  weight: Float32Array;
  /** By edge: where its ends part, and which edge between kids it is there. */
  field: Field[];
  pair: Int32Array;
}

/** An open group, or the root: the edges between its kids, and what its kids are bound to outside. */
export interface Field {
  container: Thing;
  from: number[];
  to: number[];
  weight: number[];
  outKid: number[];
  outLeaf: Thing[];
  /** By kid: where what is outside stands on average, relative to this field's centre, and how much of it there is. */
  pull: Float32Array;
  pullWeight: Float32Array;
  /** By pair: the bends of its edges (x, y, ...) relative to the container's corner; set by the layout. */
  bends: (number[] | undefined)[];
  /** By lane: from where to where it goes; set by the layout, of the root. */
  lanes: Map<number, { left: number; right: number }>;
}

/** The edges of an input as its tree shows them, and the fields of all open groups. */
export function edgesOf(input: GraphInput, tree: Tree): { edges: Edges; fields: Map<Thing, Field> } {
  const edges = leafEdges(input, tree);
  const fields = new Map<Thing, Field>();
  addFields(tree.root, fields);
  const pairs = new Map<Field, Map<number, number>>();
  for (let e = 0; e < edges.from.length; e++) {
    const start = tree.leaves[edges.from[e]!]!;
    const end = tree.leaves[edges.to[e]!]!;
    let a = start;
    let b = end;
    while (a.parent !== b.parent) {
      if (a.depth >= b.depth) a = leave(a, end, fields);
      else b = leave(b, start, fields);
    }
    const field = fields.get(a.parent!)!;
    let known = pairs.get(field);
    if (known === undefined) pairs.set(field, (known = new Map()));
    edges.field[e] = field;
    edges.pair[e] = pairOf(field, known, a.place, b.place, edges.weight[e]!);
  }
  return { edges, fields };
}

function leafEdges(input: GraphInput, tree: Tree): Edges {
  const count = tree.leaves.length;
  const known = new Map<number, number>();
  const from: number[] = [];
  const to: number[] = [];
  const weight: number[] = [];
  for (let e = 0; e < input.sources.length; e++) {
    const a = tree.leafOf[input.sources[e]!]!;
    const b = tree.leafOf[input.targets[e]!]!;
    if (a === b) continue;
    const at = known.get(a * count + b);
    if (at !== undefined) {
      weight[at]! += 1;
      continue;
    }
    known.set(a * count + b, from.length);
    from.push(a);
    to.push(b);
    weight.push(1);
  }
  return {
    from: Int32Array.from(from),
    to: Int32Array.from(to),
    weight: Float32Array.from(weight),
    field: [],
    pair: new Int32Array(from.length),
  };
}

function addFields(at: Thing, fields: Map<Thing, Field>): void {
  const n = at.kids!.length;
  fields.set(at, {
    container: at,
    from: [],
    to: [],
    weight: [],
    outKid: [],
    outLeaf: [],
    pull: new Float32Array(n),
    pullWeight: new Float32Array(n),
    bends: [],
    lanes: new Map(),
  });
  for (const kid of at.kids!) if (kid.kids !== null) addFields(kid, fields);
}

/** Go from a kid to the group that it is in, which remembers what the kid is bound to. */
function leave(kid: Thing, other: Thing, fields: Map<Thing, Field>): Thing {
  const field = fields.get(kid.parent!)!;
  field.outKid.push(kid.place);
  field.outLeaf.push(other);
  return kid.parent!;
}

function pairOf(field: Field, known: Map<number, number>, a: number, b: number, weight: number): number {
  const code = a * field.pull.length + b;
  const at = known.get(code);
  if (at !== undefined) {
    field.weight[at]! += weight;
    return at;
  }
  known.set(code, field.from.length);
  field.from.push(a);
  field.to.push(b);
  field.weight.push(weight);
  return field.from.length - 1;
}

/** Let each field know where what is outside of it stands, now that everything has a first place. */
export function setPulls(tree: Tree, fields: Map<Thing, Field>): void {
  const centre = new Map<Thing, number>();
  const walk = (at: Thing, top: number) => {
    centre.set(at, top + at.h / 2);
    for (const kid of at.kids ?? []) walk(kid, top + kid.y);
  };
  walk(tree.root, 0);
  for (const field of fields.values()) {
    const own = centre.get(field.container)!;
    field.outKid.forEach((kid, i) => {
      field.pull[kid]! += centre.get(field.outLeaf[i]!)! - own;
      field.pullWeight[kid]! += 1;
    });
    for (let kid = 0; kid < field.pull.length; kid++) {
      if (field.pullWeight[kid]! > 0) field.pull[kid]! /= field.pullWeight[kid]!;
    }
  }
}
