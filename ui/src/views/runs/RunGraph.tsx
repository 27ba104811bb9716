// The graph of a run: its steps with what becomes of them, from the same timeline as the Gantt chart beside it.
import { useQuery } from "@tanstack/react-query";
import { Skeleton } from "@mantine/core";
import { useEffect, useMemo, useRef, useState } from "react";
import type { Schema } from "@/api/client";
import { durationText, plural } from "@/app/format";
import { ErrorView } from "@/components/ErrorView";
import { lookOf } from "@/design/states";
import { sharesOf, type Face } from "@/graph/face";
import { glyphOf } from "@/graph/glyphs";
import { GraphView, type GraphHandle } from "@/graph/GraphView";
import type { GraphInput } from "@/graph/model";
import type { FaceSource } from "@/graph/stage";
import { endOf, nowOf, type Timeline } from "./gantt/timeline";
import { taskOf } from "./gantt/rows";
import { graphOf } from "./queries";
import { BAR_ORDER, endedOf, worstOf } from "./states";

type Graph = Schema<"JobGraph">;

interface Props {
  run: number;
  isFlow: boolean;
  timeline: Timeline;
  version: number;
  grown: number;
  /** The step that is looked at. */
  selected: string | null;
  /** A node was picked: a step, or (`folded`) all calls of a task. */
  onSelect(node: string, folded: boolean): void;
  critical: boolean;
}

const OPEN_MAX = 60;
const AGAIN_MS = 1_500;

export function RunGraph({ run, isFlow, timeline, version, grown, selected, onSelect, critical }: Props) {
  const { data, error, refetch } = useQuery(graphOf(run));
  useGrowth(isFlow, grown, () => void refetch());
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const handle = useRef<GraphHandle>(null);
  const known = data === undefined ? undefined : `${data.nodes.length} ${data.edges.length}`;
  const input = useMemo(() => (data === undefined ? null : inputOf(data, isFlow, toggled)), [known, isFlow, toggled]);
  const faces = useMemo(
    () => (data === undefined ? null : facesOf(data, timeline, critical)),
    [data, timeline, version, critical],
  );
  const node = selected === null ? null : data?.folded ? taskOf(selected) : selected;
  const chosen = useMemo(() => new Set(node === null ? [] : [node]), [node]);
  const lit = useMemo(() => {
    if (!critical || data === undefined) return null;
    return new Set(data.nodes.filter((node) => node.critical).map((node) => node.key));
  }, [critical, data]);
  useEffect(() => {
    if (node !== null) handle.current?.reveal(node);
  }, [node]);

  if (error !== null && data === undefined) return <ErrorView error={error} retry={() => void refetch()} />;
  if (input === null || faces === null) return <Skeleton height="100%" radius={0} />;
  return (
    <GraphView
      graph={input}
      faces={faces}
      selected={chosen}
      lit={lit}
      label="Graph of the run"
      onPick={(node) => node !== null && onSelect(input.ids[node]!, data?.folded ?? false)}
      onToggle={(key) => setToggled(flipped(toggled, key))}
      handle={handle}
    />
  );
}

/** A flow's graph grows as it calls tasks: ask again, but not at each call. */
function useGrowth(isFlow: boolean, grown: number, ask: () => void): void {
  const last = useRef(0);
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    if (!isFlow || grown <= 1) return;
    const wait = Math.max(0, last.current + AGAIN_MS - performance.now());
    const timer = setTimeout(() => {
      last.current = performance.now();
      latest.current();
    }, wait);
    return () => clearTimeout(timer);
  }, [isFlow, grown]);
}

function flipped(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(key)) next.add(key);
  return next;
}

/** Steps in their groups; the calls of a flow in groups by what they call. Large graphs begin with closed groups. */
export function inputOf(graph: Graph, isFlow: boolean, toggled: ReadonlySet<string>): GraphInput {
  const place = new Map(graph.nodes.map((node, i) => [node.key, i]));
  const groups = graph.nodes.map((node) =>
    isFlow && node.group === "" && !graph.folded ? taskOf(node.key) : node.group,
  );
  const keys = new Set(
    groups
      .filter(Boolean)
      .flatMap((path) => path.split("/").map((_, i, parts) => `:${parts.slice(0, i + 1).join("/")}`)),
  );
  const isOpen = graph.nodes.length <= OPEN_MAX;
  return {
    ids: graph.nodes.map((node) => node.key),
    groups,
    sources: graph.edges.map((edge) => place.get(edge.source)!),
    targets: graph.edges.map((edge) => place.get(edge.target)!),
    open: [...keys].filter((key) => isOpen !== toggled.has(key)),
  };
}

interface Made {
  counts: Record<string, number>;
  from: number;
  to: number;
}

function facesOf(graph: Graph, timeline: Timeline, critical: boolean): FaceSource {
  const byStep = madeByStep(timeline, graph.folded);
  const none: Made = { counts: {}, from: Infinity, to: -Infinity };
  return {
    node: (i) => {
      const node = graph.nodes[i]!;
      return faceOf(
        node.key,
        node.mapped ? `${node.kind} ×` : node.kind,
        [byStep.get(node.key) ?? none],
        critical && node.critical,
      );
    },
    group: (key, members) => {
      const parts = members.map((i) => byStep.get(graph.nodes[i]!.key) ?? none);
      return faceOf(
        key.slice(key.indexOf(":") + 1),
        plural(members.length, "step"),
        parts,
        critical && members.some((i) => graph.nodes[i]!.critical),
      );
    },
  };
}

function madeByStep(timeline: Timeline, byTask: boolean): Map<string, Made> {
  const names = byTask ? timeline.steps.map(taskOf) : timeline.steps;
  const now = nowOf(timeline, performance.now());
  const found = new Map<string, Made>();
  for (let i = 0; i < timeline.no.length; i++) {
    const step = names[timeline.step[i]!]!;
    let made = found.get(step);
    if (made === undefined) found.set(step, (made = { counts: {}, from: Infinity, to: -Infinity }));
    const state = timeline.state[i]!;
    made.counts[state] = (made.counts[state] ?? 0) + 1;
    made.from = Math.min(made.from, timeline.start[i] ?? Infinity);
    made.to = Math.max(made.to, endOf(timeline, i, now) ?? -Infinity);
  }
  return found;
}

function faceOf(title: string, kind: string, parts: readonly Made[], hot: boolean): Face {
  const counts: Record<string, number> = {};
  let [from, to, total] = [Infinity, -Infinity, 0];
  for (const part of parts) {
    for (const [state, count] of Object.entries(part.counts)) {
      counts[state] = (counts[state] ?? 0) + count;
      total += count;
    }
    from = Math.min(from, part.from);
    to = Math.max(to, part.to);
  }
  const state = total === 0 ? "waiting" : worstOf(counts);
  const look = lookOf(state);
  const ended = endedOf(counts);
  return {
    title,
    kind,
    state: look.label,
    tone: look.tone,
    glyph: glyphOf(state),
    moving: look.moving === true,
    detail: to > from && state !== "running" ? durationText(to - from) : "",
    badge: total > 1 ? { text: ended === total ? `${total}` : `${ended} of ${total}`, tone: "grey" } : null,
    bar: total > 1 ? sharesOf(counts, BAR_ORDER) : [],
    hot,
  };
}
