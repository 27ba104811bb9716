// From the lineage of columns to the graph that is drawn: an asset is a group, its columns are the nodes in it. Pure.
import type { Schema } from "@/api/client";
import { layerTone } from "@/design/layers";
import type { Face } from "@/graph/face";
import { groupKey, type GraphInput } from "@/graph/model";
import { linksOf, reach } from "@/graph/reach";
import type { FaceSource } from "@/graph/stage";
import { lanesOf, type Lanes } from "./lineage";

export type ColumnGraph = Schema<"ColumnGraph">;
export type ColumnNode = Schema<"ColumnNode">;

const NODE_H = 28;

/** What the API calls a column: `asset.column`. */
export function idOf(node: ColumnNode): string {
  return `${node.asset}.${node.column}`;
}

export function nameOf(column: string): string {
  return column === "" ? "(its rows)" : column === "*" ? "(other columns)" : column;
}

export function columnLanes(graph: ColumnGraph, layers: readonly string[]): Lanes | null {
  return lanesOf({ ...graph, nodes: graph.nodes.map(({ layer }) => ({ layer, kind: "asset" })), layers: [...layers] });
}

export function columnInput(graph: ColumnGraph, lanes: Lanes | null): GraphInput {
  // A slash would make groups within groups.
  const groups = graph.nodes.map((node) => node.asset.replaceAll("/", "\u2215"));
  return {
    ids: graph.nodes.map(idOf),
    sources: graph.sources,
    targets: graph.targets,
    groups,
    open: graph.nodes.map((_, i) => groupKey(lanes === null ? "" : lanes.titles[lanes.lane[i]!]!, groups[i]!)),
    stacked: true,
    nodeHeight: NODE_H,
    ...(lanes === null ? {} : { lanes: lanes.titles, lane: lanes.lane }),
  };
}

export function columnFaces(graph: ColumnGraph): FaceSource {
  const alone = new Map<string, number>();
  for (const node of graph.nodes) alone.set(node.asset, (alone.get(node.asset) ?? 0) + 1);
  const faceOf = (node: ColumnNode): Face => ({
    // A group of one has no box to say whose column it is.
    title: alone.get(node.asset) === 1 ? `${node.asset}.${node.column}` : nameOf(node.column),
    kind: node.type,
    state: "",
    tone: layerTone(node.layer),
    glyph: "dot",
    moving: false,
    detail: "",
    bar: [],
    badge: null,
    hot: false,
  });
  return {
    node: (i) => faceOf(graph.nodes[i]!),
    group: (key) => ({ ...faceOf(graph.nodes[0]!), title: key.slice(key.indexOf(":") + 1), kind: "" }),
  };
}

/** A column, and all columns above and below it. */
export function around(graph: ColumnGraph, id: string): ReadonlySet<string> {
  const links = linksOf(graph.nodes.length, graph.sources, graph.targets);
  const starts = graph.nodes.flatMap((node, i) => (idOf(node) === id ? [i] : []));
  const distance = reach(links, starts, "both");
  return new Set(graph.nodes.filter((_, i) => !Number.isNaN(distance[i]!)).map(idOf));
}

export interface Made {
  node: ColumnNode;
  /** How the one counts in the other: identity, transformed, aggregated, filter, ... */
  how: string;
}

/** What a column is directly made from, or made into. */
export function neighboursOf(graph: ColumnGraph, id: string, side: "up" | "down"): Made[] {
  const [own, other] = side === "up" ? [graph.targets, graph.sources] : [graph.sources, graph.targets];
  return own.flatMap((end, e) =>
    idOf(graph.nodes[end]!) === id ? [{ node: graph.nodes[other[e]!]!, how: graph.kinds[e]! }] : [],
  );
}
