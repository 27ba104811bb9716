// From the lineage graph of the API to the graph that is drawn: lanes, groups, what nodes show. Pure.
import type { Schema } from "@/api/client";
import { countText, plural, relativeText } from "@/app/format";
import { layerTone } from "@/design/layers";
import { ASSET_STATES, lookOf } from "@/design/states";
import { sharesOf, type Face } from "@/graph/face";
import { glyphOf } from "@/graph/glyphs";
import { groupKey, type GraphInput } from "@/graph/model";
import { toneNumber } from "@/graph/palette";
import type { FaceSource } from "@/graph/stage";

export type Lineage = Schema<"LineageGraph">;
export type LineageNode = Schema<"LineageNode">;

export type GroupBy = "group" | "location" | "kind" | "none";

/** What events of OpenLineage tell of. */
export const ELSEWHERE: ReadonlySet<string> = new Set(["job", "dataset"]);
/** Longer namespaces are not shown on a node. */
const TAG_MAX = 14;

export const SOURCES = "sources";
export const OTHER = "other";
/** So many nodes are shown without closing any group. */
export const OPEN_MAX = 160;

// ---- lanes ----

export interface Lanes {
  titles: string[];
  lane: number[];
}

/** Kinds of nodes that are sources where they come before all layers. */
const SOURCE_KINDS: ReadonlySet<string> = new Set(["asset", "job", "dataset"]);

/** What lanes are made of: a lineage, or a part of one. */
interface Laned {
  nodes: readonly Pick<LineageNode, "layer" | "kind">[];
  sources: number[];
  targets: number[];
  layers: readonly string[];
}

/**
 * The lane of each node: its layer's. What has no layer joins what it makes, else what it is made from; what is made
 * elsewhere and comes before all layers are the sources. Null where nothing has a layer.
 */
export function lanesOf(graph: Laned): Lanes | null {
  const rank = new Map(graph.layers.map((layer, i) => [layer, i]));
  const own = graph.nodes.map((node) => rank.get(node.layer) ?? -1);
  if (!own.some((layer) => layer >= 0)) return null;
  const below = nearestLayers(graph.nodes.length, graph.targets, graph.sources, own, Math.min);
  const above = nearestLayers(graph.nodes.length, graph.sources, graph.targets, own, Math.max);
  const names = [SOURCES, ...graph.layers, OTHER];
  const lane = graph.nodes.map((node, i) => {
    if (own[i]! >= 0) return own[i]! + 1;
    const [down, up] = [below[i]!, above[i]!];
    if (up < 0 && down >= 0 && SOURCE_KINDS.has(node.kind)) return 0;
    if (down >= 0 && (up < 0 || down >= up)) return down + 1;
    return up >= 0 ? up + 1 : names.length - 1;
  });
  const used = names.map((_, i) => lane.includes(i));
  const place = names.map((_, i) => used.slice(0, i).filter(Boolean).length);
  return { titles: names.filter((_, i) => used[i]), lane: lane.map((i) => place[i]!) };
}

/** The nearest layer that each node without one comes to along the edges; -1: to none. */
function nearestLayers(
  n: number,
  from: number[],
  to: number[],
  own: number[],
  better: (a: number, b: number) => number,
): number[] {
  const next: number[][] = Array.from({ length: n }, () => []);
  from.forEach((node, e) => next[node]!.push(to[e]!));
  const found = own.slice();
  let level = own.flatMap((layer, node) => (layer >= 0 ? [node] : []));
  while (level.length > 0) {
    const reached = new Map<number, number>();
    for (const node of level) {
      for (const other of next[node]!) {
        if (found[other]! >= 0) continue;
        const known = reached.get(other);
        reached.set(other, known === undefined ? found[node]! : better(known, found[node]!));
      }
    }
    for (const [node, layer] of reached) found[node] = layer;
    level = [...reached.keys()];
  }
  return found;
}

/** Tones of lanes, as numbers. */
export function laneTonesOf(lanes: Lanes | null): number[] {
  return (lanes?.titles ?? []).map((title) =>
    toneNumber(title === SOURCES || title === OTHER ? "grey" : layerTone(title)),
  );
}

// ---- groups ----

export function groupOf(node: LineageNode, by: GroupBy): string {
  switch (by) {
    case "group":
      // A namespace says who tells of it, not what belongs together: boxes around it would cut through pipelines.
      if (ELSEWHERE.has(node.kind)) return "";
      return node.job && node.kind === "step" ? [node.job, node.group].filter(Boolean).join("/") : node.group;
    case "location":
      return node.location;
    case "kind":
      return node.kinds[0] ?? node.kind;
    case "none":
      return "";
  }
}

/** The keys of all groups of more than one node, outer ones included. */
export function groupKeysOf(graph: Lineage, lanes: Lanes | null, by: GroupBy): string[] {
  const counts = new Map<string, number>();
  graph.nodes.forEach((node, i) => {
    const path = groupOf(node, by);
    if (path === "") return;
    const parts = path.split("/");
    const lane = lanes === null ? "" : lanes.titles[lanes.lane[i]!]!;
    parts.forEach((_, depth) => {
      const key = groupKey(lane, parts.slice(0, depth + 1).join("/"));
      counts.set(key, (counts.get(key) ?? 0) + 1);
    });
  });
  return [...counts].filter(([, count]) => count > 1).map(([key]) => key);
}

/** What is drawn. */
export function inputOf(graph: Lineage, lanes: Lanes | null, by: GroupBy, open: readonly string[]): GraphInput {
  return {
    ids: graph.nodes.map((node) => node.id),
    sources: graph.sources,
    targets: graph.targets,
    groups: graph.nodes.map((node) => groupOf(node, by)),
    open,
    ...(lanes === null ? {} : { lanes: lanes.titles, lane: lanes.lane }),
  };
}

/** The part of a graph that is made of some nodes. */
export function only(graph: Lineage, keep: ReadonlySet<string>): Lineage {
  const place = new Map<number, number>();
  const nodes = graph.nodes.filter((node, i) => keep.has(node.id) && place.set(i, place.size));
  const edges = graph.sources.flatMap((source, e) => {
    const [from, to] = [place.get(source), place.get(graph.targets[e]!)];
    return from === undefined || to === undefined ? [] : [[from, to] as const];
  });
  return { ...graph, nodes, sources: edges.map(([from]) => from), targets: edges.map(([, to]) => to) };
}

// ---- what nodes show ----

export function facesOf(graph: Lineage, now: number): FaceSource {
  return {
    node: (i) => faceOf(graph.nodes[i]!, now),
    group: (key, members) =>
      groupFaceOf(
        key,
        members.map((i) => graph.nodes[i]!),
      ),
  };
}

const STEPS: Record<string, string> = { step: "Step", flow: "Flow", job: "Job elsewhere", dataset: "Dataset" };

function faceOf(node: LineageNode, now: number): Face {
  if (node.kind !== "asset") {
    // Only jobs elsewhere have a state, that of their newest run.
    const look = node.state === "" ? null : lookOf(node.state);
    const when = node.materialized_at === null ? "" : relativeText(node.materialized_at * 1000, now);
    return {
      title: node.label,
      state: look?.label ?? STEPS[node.kind]!,
      tone: look?.tone ?? "slate",
      glyph: look === null ? (node.kind === "dataset" ? "link" : "dot") : glyphOf(node.state),
      moving: false,
      detail: node.kind === "step" ? `of ${node.job}` : node.kind === "dataset" ? node.group : when,
      kind: node.kind !== "job" ? "" : node.group.length <= TAG_MAX ? node.group : "elsewhere",
      bar: [],
      badge: null,
      hot: false,
    };
  }
  const look = lookOf(node.state);
  return {
    title: node.label,
    state: look.label,
    tone: look.tone,
    glyph: glyphOf(node.state),
    moving: false,
    detail: node.materialized_at === null ? "" : relativeText(node.materialized_at * 1000, now),
    kind: node.kinds[0] ?? "",
    bar: node.partitions === null ? [] : sharesOf(node.counts, ASSET_STATES),
    badge: badgeOf(node),
    hot: false,
  };
}

function badgeOf(node: LineageNode): Face["badge"] {
  if (node.checks_failed > 0)
    return { text: `${node.checks_failed} of ${plural(node.checks, "check")} failed`, tone: "red" };
  return node.checks > 0 ? { text: plural(node.checks, "check"), tone: "grey" } : null;
}

const WORST = ["missing", "stale", "fresh", "external"];

function groupFaceOf(key: string, nodes: readonly LineageNode[]): Face {
  const counts: Record<string, number> = {};
  let failed = 0;
  for (const node of nodes) {
    if (node.state !== "") counts[node.state] = (counts[node.state] ?? 0) + 1;
    failed += node.checks_failed;
  }
  const state = WORST.find((one) => counts[one]) ?? "";
  const look = lookOf(state);
  const path = key.slice(key.indexOf(":") + 1);
  return {
    title: path.slice(path.lastIndexOf("/") + 1),
    state:
      state === ""
        ? "Steps"
        : counts[state] === nodes.length
          ? look.label
          : `${countText(counts[state]!)} ${look.label.toLowerCase()}`,
    tone: state === "" ? "slate" : look.tone,
    glyph: state === "" ? "dot" : glyphOf(state),
    moving: false,
    detail: "",
    kind: `${countText(nodes.length)} nodes`,
    bar: sharesOf(counts, ASSET_STATES),
    badge: failed > 0 ? { text: `${plural(failed, "check")} failed`, tone: "red" } : null,
    hot: false,
  };
}

// ---- finding ----

const STATE_WORDS: ReadonlySet<string> = new Set(["stale", "changed", "missing", "failed"]);

/** What somebody types, as a selection: a mere word is looked for anywhere in a key. */
export function selectionOf(text: string, filters: Readonly<Record<string, string | string[]>>): string {
  const parts: string[] = [];
  const words = text.trim();
  if (words !== "") parts.push(/^[\w.-]+$/.test(words) && !STATE_WORDS.has(words) ? `*${words}*` : `(${words})`);
  for (const [attribute, value] of Object.entries(filters)) {
    const values = (Array.isArray(value) ? value : [value]).filter(Boolean);
    if (values.length === 0) continue;
    const terms = values.map((one) => (attribute === "is" ? one : `${attribute}:${quoted(one)}`));
    parts.push(terms.length === 1 ? terms[0]! : `(${terms.join(" or ")})`);
  }
  return parts.join(",");
}

/** A text of a selection that is meant literally. */
export function quoted(text: string): string {
  if (/^[\w.@/-]+$/.test(text)) return text;
  return text.includes('"') ? `'${text}'` : `"${text}"`;
}
