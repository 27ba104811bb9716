// The layout of a graph: layered from left to right, lanes side by side, groups as boxes that are laid out by
// themselves and then stand in the picture around them like one large node. Pure: the same input has the same layout.
//
// Groups are laid out twice: the second time they know where what is outside of them stands, and order their members
// by it.
import { edgesOf, setPulls, type Edges, type Field } from "./fields";
import { ASPECT, layered, WRAP_GAP, type Part } from "./layered";
import {
  BOX_HEAD,
  BOX_PAD,
  GAP_X,
  GAP_Y,
  groupTitle,
  LANE_HEAD,
  LANE_PAD,
  type GraphInput,
  type GroupBox,
  type LaneBox,
  type Layout,
  type Places,
} from "./model";
import { pack, type Block } from "./pack";
import { components } from "./rank";
import { treeOf, type Thing, type Tree } from "./tree";

const STACK_GAP = 4;

/** Lay a graph out. */
export function layout(input: GraphInput): Layout {
  const tree = treeOf(input);
  const { edges, fields } = edgesOf(input, tree);
  const laned = (input.lanes?.length ?? 0) > 0;
  const ways: Ways = { previous: input.previous ?? null, stacked: input.stacked ?? false };
  arrange(tree.root, fields, laned, ways);
  if (fields.size > 1) {
    setPulls(tree, fields);
    arrange(tree.root, fields, laned, ways);
  }
  toAbsolute(tree.root, fields);
  return collect(input, tree, edges, fields);
}

/** Where everything stood, for the layout after it. */
export function placesOf(layout: Layout): Places {
  const places = new Map<string, { x: number; y: number }>();
  layout.keys.forEach((key, i) => places.set(key, { x: layout.x[i]!, y: layout.y[i]! + layout.h[i]! / 2 }));
  for (const box of layout.boxes) places.set(box.key, { x: box.x, y: box.y + box.h / 2 });
  return places;
}

// ---- groups ----

interface Ways {
  previous: Places | null;
  stacked: boolean;
}

function arrange(at: Thing, fields: Map<Thing, Field>, laned: boolean, ways: Ways): void {
  const kids = at.kids!;
  for (const kid of kids) if (kid.kids !== null) arrange(kid, fields, false, ways);
  const field = fields.get(at)!;
  field.bends = [];
  field.lanes.clear();
  const blocks = laned
    ? [layered(field, { kids: [...kids.keys()], pairs: [...field.from.keys()] }, true, ways.previous)]
    : blocksOf(field, ways);
  const size = pack(blocks, ASPECT, GAP_X, GAP_Y * 2);
  const pad = at.parent === null ? 0 : BOX_PAD;
  const head = at.parent !== null ? BOX_HEAD : laned ? LANE_HEAD : 0;
  for (const block of blocks) {
    const left = pad + block.x;
    const top = head + block.y;
    for (const { kid, x, y } of block.places) {
      kids[kid]!.x = left + x;
      kids[kid]!.y = top + y;
    }
    for (const { pair, points } of block.bends) {
      field.bends[pair] = points.map((value, i) => value + (i % 2 === 0 ? left : top));
    }
  }
  at.w = size.w + 2 * pad;
  at.h = size.h + head + (at.parent !== null ? pad : laned ? LANE_PAD : 0);
}

/** A picture for each connected component; what has no edges stands in rows after them. */
function blocksOf(field: Field, { previous, stacked }: Ways): Block[] {
  const n = field.pull.length;
  const component = components(n, field.from, field.to);
  const parts: Part[] = [];
  for (let kid = 0; kid < n; kid++) (parts[component[kid]!] ??= { kids: [], pairs: [] }).kids.push(kid);
  for (let e = 0; e < field.from.length; e++) parts[component[field.from[e]!]!]!.pairs.push(e);
  const joined = parts.filter((part) => part.kids.length > 1);
  const alone = parts.filter((part) => part.kids.length === 1).map((part) => part.kids[0]!);
  const blocks = joined.map((part) => layered(field, part, false, previous));
  return alone.length > 0 ? [...blocks, stacked && field.container.parent !== null ? stackOf(field, alone) : rows(field, alone)] : blocks;
}

/** By what they are bound to outside, where that is known. */
function sortedAlone(field: Field, alone: number[]): number[] {
  return alone.toSorted((a, b) => field.pull[a]! - field.pull[b]! || a - b);
}

function stackOf(field: Field, alone: number[]): Block {
  let [w, y] = [0, -STACK_GAP];
  const places = sortedAlone(field, alone).map((kid) => {
    const place = { kid, x: 0, y: y + STACK_GAP };
    const thing = field.container.kids![kid]!;
    y = place.y + thing.h;
    w = Math.max(w, thing.w);
    return place;
  });
  return { x: 0, y: 0, w, h: y, places, bends: [] };
}

function rows(field: Field, alone: number[]): Block {
  const sorted = sortedAlone(field, alone);
  const blocks = sorted.map((kid): Block => {
    const { w, h } = field.container.kids![kid]!;
    return { x: 0, y: 0, w, h, places: [{ kid, x: 0, y: 0 }], bends: [] };
  });
  const size = pack(blocks, ASPECT, WRAP_GAP, GAP_Y);
  const places = blocks.map((block, i) => ({ kid: sorted[i]!, x: block.x, y: block.y }));
  return { x: 0, y: 0, ...size, places, bends: [] };
}

function toAbsolute(at: Thing, fields: Map<Thing, Field>): void {
  const field = fields.get(at)!;
  field.bends = field.bends.map((points) => points?.map((value, i) => value + (i % 2 === 0 ? at.x : at.y)));
  for (const kid of at.kids!) {
    kid.x += at.x;
    kid.y += at.y;
    if (kid.kids !== null) toAbsolute(kid, fields);
  }
}

// ---- result ----

function collect(input: GraphInput, tree: Tree, edges: Edges, fields: Map<Thing, Field>): Layout {
  const { leaves, root } = tree;
  const bendStart = new Int32Array(edges.from.length + 1);
  const bends: number[] = [];
  for (let e = 0; e < edges.from.length; e++) {
    const points = edges.field[e]!.bends[edges.pair[e]!];
    if (points !== undefined) for (const value of points) bends.push(value);
    bendStart[e + 1] = bends.length / 2;
  }
  return {
    keys: leaves.map((leaf) => leaf.key),
    x: Float32Array.from(leaves, (leaf) => leaf.x),
    y: Float32Array.from(leaves, (leaf) => leaf.y),
    w: Float32Array.from(leaves, (leaf) => leaf.w),
    h: Float32Array.from(leaves, (leaf) => leaf.h),
    node: Int32Array.from(leaves, (leaf) => leaf.node),
    members: Int32Array.from(leaves, (leaf) => leaf.members),
    itemOf: tree.leafOf,
    from: edges.from,
    to: edges.to,
    weight: edges.weight,
    bendStart,
    bends: Float32Array.from(bends),
    boxes: boxesOf(root),
    lanes: lanesOf(input, fields.get(root)!),
    width: root.w,
    height: root.h,
  };
}

/** All open groups, outer ones first. */
function boxesOf(at: Thing): GroupBox[] {
  return at.kids!.flatMap((kid) => {
    if (kid.kids === null) return [];
    const { key, depth, members, x, y, w, h } = kid;
    return [{ key, title: groupTitle(key), depth, members, x, y, w, h }, ...boxesOf(kid)];
  });
}

function lanesOf(input: GraphInput, field: Field): LaneBox[] {
  const members = new Map<number, number>();
  for (let node = 0; node < input.ids.length; node++) {
    const lane = input.lane?.[node] ?? 0;
    members.set(lane, (members.get(lane) ?? 0) + 1);
  }
  return [...field.lanes].map(([lane, { left, right }]) => ({
    lane,
    title: input.lanes![lane]!,
    members: members.get(lane) ?? 0,
    x: left - LANE_PAD,
    w: right - left + 2 * LANE_PAD,
  }));
}
