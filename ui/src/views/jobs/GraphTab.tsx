// The graph of a job, each step with what became of it in the last run. A flow's graph is known only as it runs: its
// last run's is shown.
import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { jobQueries } from "@/api/jobs";
import type { Schema } from "@/api/client";
import { runQueries } from "@/api/runs";
import { plural } from "@/app/format";
import { EmptyState } from "@/components/EmptyState";
import { ErrorView } from "@/components/ErrorView";
import { RunLink } from "@/components/links";
import { Section } from "@/components/Page";
import { lookOf } from "@/design/states";
import { sharesOf, type Face } from "@/graph/face";
import { glyphOf } from "@/graph/glyphs";
import { GraphView } from "@/graph/GraphView";
import type { FaceSource } from "@/graph/stage";
import { inputOf } from "@/views/runs/RunGraph";
import { BAR_ORDER, worstOf } from "@/views/runs/states";
import classes from "./jobs.module.css";

type Graph = Schema<"JobGraph">;
type GraphNode = Schema<"GraphNode">;

export default function GraphTab({ job, location }: { job: string; location: string }) {
  const declared = useQuery(jobQueries.graph(job, location));
  const grid = useQuery(jobQueries.grid(job, location, 1));
  const last = grid.data?.runs[0]?.id;
  const ran = useQuery({ ...runQueries.graph(last ?? 0), enabled: last !== undefined });
  const isFlow = declared.data?.complete === false;
  const graph = useMemo(() => (declared.data ? merged(declared.data, ran.data) : undefined), [declared.data, ran.data]);
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set());
  const navigate = useNavigate();
  const input = useMemo(() => (graph ? inputOf(graph, isFlow, toggled) : null), [graph, isFlow, toggled]);
  const faces = useMemo(() => (graph ? facesOf(graph) : null), [graph]);
  if (declared.error && !declared.data) return <ErrorView error={declared.error} retry={() => void declared.refetch()} />;
  if (!input || !faces || (last !== undefined && ran.isPending)) return <Skeleton height={420} />;
  if (input.ids.length === 0) return <EmptyState title="Its graph is not known yet">A flow's tasks are known as it calls them: they are shown here after its first run.</EmptyState>;
  const open = (node: number | null) => {
    const key = node === null ? undefined : input.ids[node];
    if (last !== undefined && key !== undefined) void navigate({ to: "/runs/$run", params: { run: String(last) }, search: { step: key } });
  };
  return (
    <Section flush title={plural(input.ids.length, "step")} actions={last !== undefined && <span className="b-dim">as in run <RunLink run={last} /></span>}>
      <div className={classes.graph}>
        <GraphView
          graph={input}
          faces={faces}
          selected={NONE}
          label={`Graph of ${job}`}
          onPick={open}
          onToggle={(key) => setToggled((before) => flipped(before, key))}
        />
      </div>
    </Section>
  );
}

const NONE: ReadonlySet<string> = new Set();

/** The steps as they are defined, with what became of them in the run; of a flow those of the run. */
function merged(declared: Graph, ran: Graph | undefined): Graph {
  if (!ran) return declared;
  if (!declared.complete) return ran;
  const counts = new Map(ran.nodes.map((node) => [node.key, node.counts]));
  return { ...declared, nodes: declared.nodes.map((node) => ({ ...node, counts: counts.get(node.key) ?? {} })) };
}

function flipped(set: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(key)) next.add(key);
  return next;
}

function facesOf(graph: Graph): FaceSource {
  return {
    node: (i) => faceOf(graph.nodes[i]!.key, kindOf(graph.nodes[i]!), [graph.nodes[i]!]),
    group: (key, members) => faceOf(key.slice(key.indexOf(":") + 1), plural(members.length, "step"), members.map((i) => graph.nodes[i]!)),
  };
}

function kindOf(node: GraphNode): string {
  const rule = node.trigger_rule && node.trigger_rule !== "all_success" ? ` · ${node.trigger_rule}` : "";
  return `${node.kind}${node.mapped ? " ×" : ""}${node.setup ? " · setup" : ""}${node.teardown ? " · teardown" : ""}${rule}`;
}

function faceOf(title: string, kind: string, nodes: readonly GraphNode[]): Face {
  const counts: Record<string, number> = {};
  for (const node of nodes) for (const [state, count] of Object.entries(node.counts)) counts[state] = (counts[state] ?? 0) + count;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const state = total === 0 ? "waiting" : worstOf(counts);
  const look = lookOf(state);
  return {
    title,
    kind,
    state: total === 0 ? "" : look.label,
    tone: look.tone,
    glyph: glyphOf(state),
    moving: look.moving === true,
    detail: "",
    badge: total > 1 ? { text: String(total), tone: "grey" } : null,
    bar: total > 1 ? sharesOf(counts, BAR_ORDER) : [],
    hot: false,
  };
}
