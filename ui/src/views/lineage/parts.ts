// What of the lineage is shown and how, from its URL: hooks of the page.
import { useLayoutEffect, useMemo, useRef } from "react";
import { stateOptions, type Filter } from "@/components/FilterBar";
import type { GraphHandle } from "@/graph/GraphView";
import { linksOf, reach } from "@/graph/reach";
import { ELSEWHERE, groupKeysOf, groupOf, OPEN_MAX, type GroupBy, type Lanes, type Lineage } from "./lineage";

/** In place of the names of groups that are open: none is. */
export const CLOSED = "-";

/** The same graph as long as only states have changed: a layout is not made anew for those. */
export function useShape(lineage: Lineage): Lineage {
  const last = useRef(lineage);
  const same =
    last.current.version === lineage.version &&
    last.current.nodes.length === lineage.nodes.length &&
    last.current.sources.length === lineage.sources.length &&
    last.current.nodes.every(
      (node, i) =>
        node.id === lineage.nodes[i]!.id &&
        node.group === lineage.nodes[i]!.group &&
        node.layer === lineage.nodes[i]!.layer,
    );
  if (!same) last.current = lineage;
  return last.current;
}

/** Which groups are open: what the URL says, else all of a small graph and none of a large one. */
export function useOpen(lineage: Lineage, lanes: Lanes | null, by: GroupBy, said: string[]) {
  const all = useMemo(() => groupKeysOf(lineage, lanes, by), [lineage, lanes, by]);
  const names = said.join("\n");
  const keys = all.join("\n");
  const open = useMemo(() => {
    if (said.length > 0) return said.filter((key) => key !== CLOSED);
    return lineage.nodes.length <= OPEN_MAX ? all : [];
    // By what they say rather than by which lists they are.
  }, [names, keys, lineage.nodes.length <= OPEN_MAX]);
  return { all, open };
}

/** What is selected, and what is so far above and below it. */
export function useChosen(lineage: Lineage, at: string[], up: string, down: string): ReadonlySet<string> {
  const names = at.join("\n");
  const links = useMemo(() => linksOf(lineage.nodes.length, lineage.sources, lineage.targets), [lineage]);
  return useMemo(() => {
    const found = new Set(at);
    const starts = lineage.nodes.flatMap((node, i) => (found.has(node.id) ? [i] : []));
    for (const [far, direction] of [
      [up, "up"],
      [down, "down"],
    ] as const) {
      if (far === "") continue;
      reach(links, starts, direction, far === "all" ? Infinity : Number(far)).forEach((distance, i) => {
        if (!Number.isNaN(distance)) found.add(lineage.nodes[i]!.id);
      });
    }
    return found;
  }, [links, lineage, names, up, down]);
}

/** Bring what a URL selects into sight, once there is a first layout. */
export function useReveal(handle: React.RefObject<GraphHandle | null>, at: string[], lineage: Lineage): () => void {
  const first = useRef<string[] | null>(at);
  return () => {
    const known = (first.current ?? []).filter((id) => lineage.nodes.some((node) => node.id === id));
    first.current = null;
    if (known.length === 1) handle.current?.reveal(known[0]!);
    else if (known.length > 1) handle.current?.fit(known);
  };
}

export function useFilters(lineage: Lineage): Filter[] {
  return useMemo(() => {
    const values = (of: (node: Lineage["nodes"][number]) => readonly string[]) =>
      [...new Set(lineage.nodes.flatMap(of))]
        .filter(Boolean)
        .sort()
        .map((value) => ({ value }));
    const layers = lineage.layers
      .filter((layer) => lineage.nodes.some((node) => node.layer === layer))
      .map((value) => ({ value }));
    const many = (id: string, label: string, options: { value: string }[]): Filter[] =>
      options.length > 1 ? [{ id, label, kind: "many", options }] : [];
    return [
      { id: "is", label: "State", kind: "many", options: stateOptions(["stale", "missing", "failed"]) },
      ...many("layer", "Layer", layers),
      ...many(
        "group",
        "Group",
        values((node) => (node.kind === "asset" ? [groupOf(node, "group")] : [])),
      ),
      ...many(
        "kind",
        "Kind",
        values((node) => node.kinds),
      ),
      ...many(
        "location",
        "Location",
        values((node) => (ELSEWHERE.has(node.kind) ? [] : [node.location])),
      ),
      { id: "owner", label: "Owner", kind: "text", width: 120 },
      { id: "tag", label: "Tag", kind: "text", placeholder: "Tag", width: 100 },
    ];
  }, [lineage]);
}

const BELOW_PX = 24;

/** Lets an element take what is left of the window's height, as `--fill`. */
export function useFill() {
  const element = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const found = element.current!;
    const measure = () => {
      const top = found.getBoundingClientRect().top + window.scrollY;
      found.style.setProperty("--fill", `${Math.round(window.innerHeight - top - BELOW_PX)}px`);
    };
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(document.body);
    window.addEventListener("resize", measure);
    return () => {
      watcher.disconnect();
      window.removeEventListener("resize", measure);
    };
  }, []);
  return element;
}
