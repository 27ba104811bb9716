// Nodes in their groups, as a tree of things: open groups have kids, closed ones and nodes are leaves. A group of one
// node is not worth a box: its node stands where the group would.
import { groupKey, groupTitle, NODE_H, NODE_W, GROUP_H, type GraphInput } from "./model";

/** A node, a closed group, or an open group with what is in it; `x`, `y` are relative to the parent until the end. */
export interface Thing {
  key: string;
  parent: Thing | null;
  depth: number;
  /** Null: a leaf. */
  kids: Thing[] | null;
  /** Its place among its parent's kids. */
  place: number;
  /** The input's node, or -1. */
  node: number;
  members: number;
  lane: number;
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Tree {
  root: Thing;
  leaves: Thing[];
  /** The leaf that shows each node. */
  leafOf: Int32Array;
}

/** The tree of an input; kids are in the order of their keys, whatever the order of the input. */
export function treeOf(input: GraphInput): Tree {
  const { ids, lanes = [], lane, groups } = input;
  const open = input.open === undefined ? null : new Set(input.open);
  const laneName = (node: number) => (lane === undefined ? "" : (lanes[lane[node]!] ?? ""));
  const sizes = groupSizes(input, laneName);
  const root = thing("", null, -1, 0);
  root.kids = [];
  const made = new Map<string, Thing>();
  const leafAt: Thing[] = [];
  for (const node of sortedNodes(ids)) {
    let at = root;
    let leaf: Thing | null = null;
    for (const key of pathKeys(groups?.[node] ?? "", laneName(node))) {
      const members = sizes.get(key)!;
      if (members === 1) break;
      let group = made.get(key);
      if (group === undefined) {
        group = thing(key, at, -1, lane?.[node] ?? 0);
        group.members = members;
        group.h = GROUP_H;
        if (open === null || open.has(key)) group.kids = [];
        at.kids!.push(group);
        made.set(key, group);
      }
      if (group.kids === null) {
        leaf = group;
        break;
      }
      at = group;
    }
    if (leaf === null) {
      leaf = thing(ids[node]!, at, node, lane?.[node] ?? 0);
      leaf.h = input.nodeHeight ?? NODE_H;
      at.kids!.push(leaf);
    }
    leafAt[node] = leaf;
  }
  const leaves: Thing[] = [];
  number(root, leaves);
  const leafNumber = new Map(leaves.map((leaf, i) => [leaf, i]));
  return { root, leaves, leafOf: Int32Array.from(leafAt, (leaf) => leafNumber.get(leaf)!) };
}

function thing(key: string, parent: Thing | null, node: number, lane: number): Thing {
  const depth = parent === null ? 0 : parent.depth + 1;
  return { key, parent, depth, kids: null, place: 0, node, members: 1, lane, x: 0, y: 0, w: NODE_W, h: NODE_H };
}

function sortedNodes(ids: readonly string[]): number[] {
  const nodes = ids.map((_, i) => i);
  return nodes.sort((a, b) => (ids[a]! < ids[b]! ? -1 : ids[a]! > ids[b]! ? 1 : 0));
}

function number(at: Thing, leaves: Thing[]): void {
  at.kids!.forEach((kid, i) => {
    kid.place = i;
    if (kid.kids === null) leaves.push(kid);
    else number(kid, leaves);
  });
}

/** The keys of the groups around a node, outermost first. */
export function pathKeys(path: string, lane: string): string[] {
  if (path === "") return [];
  const keys: string[] = [];
  for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1))
    keys.push(groupKey(lane, path.slice(0, end)));
  keys.push(groupKey(lane, path));
  return keys;
}

function groupSizes(input: GraphInput, laneName: (node: number) => string): Map<string, number> {
  const sizes = new Map<string, number>();
  input.groups?.forEach((path, node) => {
    for (const key of pathKeys(path, laneName(node))) sizes.set(key, (sizes.get(key) ?? 0) + 1);
  });
  return sizes;
}

/** All groups of an input that have a box of their own: those with more than one node. */
export function groupsOf(input: GraphInput): { key: string; title: string; members: number }[] {
  const { lanes = [], lane } = input;
  const laneName = (node: number) => (lane === undefined ? "" : (lanes[lane[node]!] ?? ""));
  return [...groupSizes(input, laneName)]
    .filter(([, members]) => members > 1)
    .map(([key, members]) => ({ key, title: groupTitle(key), members }));
}
