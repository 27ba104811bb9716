// The lineage graph, kept up to date: asked for again after something was made or checked, at most so often that asking
// takes a tenth of the time. With 10,000 nodes it is megabytes; it is none of the queries that every event makes old.
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";
import { call, client } from "@/api/client";
import type { LiveEvent } from "@/api/concerns";
import { useLiveEvents } from "@/api/live";

const AGAIN_MS = 1_500;
const SHARE = 10;
const OLD_MS = 60_000;
const CONCERNING = ["assets", "checks", "locations", "external"];

export function useLineage() {
  const took = useRef(0);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const query = useQuery({
    queryKey: ["whole-lineage"],
    queryFn: async ({ signal }) => {
      const begun = performance.now();
      const graph = await call(client.GET("/api/v1/lineage", { signal }));
      took.current = performance.now() - begun;
      return graph;
    },
    refetchInterval: OLD_MS,
    structuralSharing: false,
  });
  const { refetch } = query;
  useLiveEvents(
    useCallback(
      (events: readonly LiveEvent[], topics: ReadonlySet<string>) => {
        const isOld = events.some((event) => event.kind === "run_finished") || CONCERNING.some((topic) => topics.has(topic));
        if (timer.current !== undefined || !isOld) return;
        timer.current = setTimeout(
          () => {
            timer.current = undefined;
            void refetch();
          },
          Math.max(AGAIN_MS, took.current * SHARE),
        );
      },
      [refetch],
    ),
  );
  useEffect(() => () => clearTimeout(timer.current), []);
  return query;
}

/** Ids of the assets that a selection stands for; undefined where there is none. */
export function useMatches(selection: string) {
  return useQuery({
    queryKey: ["whole-lineage", "matches", selection],
    queryFn: async ({ signal }) => {
      const graph = await call(client.GET("/api/v1/lineage", { params: { query: { selection } }, signal }));
      return new Set(graph.nodes.map((node) => node.id));
    },
    enabled: selection !== "",
    placeholderData: (before) => before,
    structuralSharing: false,
    retry: false,
  });
}
