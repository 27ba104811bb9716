// What a graph is before and after its layout: nodes in lanes and groups, and the places of what is seen of them.
//
// Everything that grows with the graph is a column (typed where it can be), so that a layout of 10,000 nodes crosses
// from the worker without being copied item by item.
/** A graph to be laid out. The i-th edge leads from node `sources[i]` to node `targets[i]`. */
export interface GraphInput {
  /** Unique names of the nodes; the layout depends on them and never on the order in which nodes come. */
  ids: readonly string[];
  sources: ArrayLike<number>;
  targets: ArrayLike<number>;
  /** Titles of the lanes, left to right; without any there is one field. */
  lanes?: readonly string[];
  /** The lane of each node. */
  lane?: ArrayLike<number>;
  /** The group of each node, `/` between nested ones; empty: none. */
  groups?: readonly string[];
  /** Which groups are open, by `groupKey`; all are where it is left out. */
  open?: readonly string[];
  /** Nodes without edges to others of their group stand one below the other, rather than in rows. */
  stacked?: boolean;
  /** How high a node is; low ones show one line. */
  nodeHeight?: number;
  /** Where things were before, by id or group key: they keep their order. */
  previous?: Places;
}

/** Left side and vertical centre of what was seen before, by node id or group key. */
export type Places = ReadonlyMap<string, { x: number; y: number }>;

/** A group or node that is drawn: `node` is a place in the input's ids, or -1 for a closed group. */
export interface Layout {
  /** Names of the items: node ids, or keys of closed groups. */
  keys: string[];
  x: Float32Array;
  y: Float32Array;
  w: Float32Array;
  h: Float32Array;
  /** The input's node of each item; -1 for a closed group. */
  node: Int32Array;
  /** How many nodes each item stands for. */
  members: Int32Array;
  /** The item that shows each node of the input. */
  itemOf: Int32Array;
  /** Edges between items. */
  from: Int32Array;
  to: Int32Array;
  /** How many edges of the input each one stands for. */
  weight: Float32Array;
  /** Bends of the edges: those of edge e are the points `bendStart[e]` to `bendStart[e + 1]` of `bends` (x, y). */
  bendStart: Int32Array;
  bends: Float32Array;
  boxes: GroupBox[];
  lanes: LaneBox[];
  width: number;
  height: number;
}

/** An open group, around its members. */
export interface GroupBox {
  key: string;
  title: string;
  depth: number;
  members: number;
  x: number;
  y: number;
  w: number;
  h: number;
}

/** A lane over the whole height. */
export interface LaneBox {
  lane: number;
  title: string;
  members: number;
  x: number;
  w: number;
}

export const NODE_W = 216;
export const NODE_H = 52;
export const GROUP_H = 60;
export const GAP_Y = 14;
export const GAP_X = 64;
export const BOX_PAD = 16;
export const BOX_HEAD = 36;
export const LANE_PAD = 36;
export const LANE_HEAD = 44;

/** The key of a group: groups of the same name in two lanes are two groups. */
export function groupKey(lane: string, path: string): string {
  return `${lane}:${path}`;
}

/** The group's own name: the last part of its path. */
export function groupTitle(key: string): string {
  const path = key.slice(key.indexOf(":") + 1);
  return path.slice(path.lastIndexOf("/") + 1);
}
