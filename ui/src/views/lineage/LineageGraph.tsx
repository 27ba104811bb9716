// The lineage of assets, steps and flows: found, filtered, followed, selected, and made anew.
import { Button, SegmentedControl, Select } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Hammer, List, Workflow } from "lucide-react";
import { useCallback, useMemo, useRef, useState } from "react";
import { words } from "@/api/problem";
import { useNow } from "@/app/clock";
import { capital, plural } from "@/app/format";
import { useUrlState } from "@/app/search";
import { useShortcut } from "@/app/shortcuts";
import { NothingFound } from "@/components/EmptyState";
import { FilterBar } from "@/components/FilterBar";
import { Page } from "@/components/Page";
import { PermissionGate } from "@/components/PermissionGate";
import { useListState } from "@/components/table-state";
import { GraphView, type GraphHandle } from "@/graph/GraphView";
import { facesOf, inputOf, lanesOf, laneTonesOf, only, selectionOf, type GroupBy, type Lineage } from "./lineage";
import { LineageList } from "./LineageList";
import classes from "./LineagePage.module.css";
import { Materialize } from "./Materialize";
import { Panel } from "./Panel";
import { CLOSED, useChosen, useFill, useFilters, useOpen, useReveal, useShape } from "./parts";
import { useMatches } from "./useLineage";

const LIST = { sort: "", filters: { is: [], layer: [], group: [], kind: [], location: [], owner: "", tag: "" } };
/** `at`: what is selected; `up`, `down`: how far from it (a number, or `all`). */
const URL_STATE = {
  at: [] as string[],
  up: "",
  down: "",
  by: "group",
  lanes: "",
  show: "",
  open: [] as string[],
  as: "",
};
const NOW_MS = 30_000;

export function LineageGraph({
  lineage,
  onColumns,
}: {
  lineage: Lineage;
  onColumns(asset: string, column?: string): void;
}) {
  const list = useListState(LIST);
  const [url, setUrl] = useUrlState(URL_STATE);
  const queries = useQueryClient();
  const handle = useRef<GraphHandle>(null);
  const field = useFill();
  const [making, setMaking] = useState(false);
  const selection = selectionOf(list.text, list.filters);
  const matches = useMatches(selection);
  const matched = selection === "" ? null : (matches.data ?? null);
  const shown = useMemo(
    () => (url.show === "matches" && matched !== null ? only(lineage, matched) : lineage),
    [lineage, url.show, matched],
  );
  const by = url.by as GroupBy;
  const lanes = useMemo(() => (url.lanes === "off" ? null : lanesOf(shown)), [shown, url.lanes]);
  const laneTones = useMemo(() => laneTonesOf(lanes), [lanes]);
  const groups = useOpen(shown, lanes, by, url.open);
  // What is drawn changes with the definitions and with what is open, not with every state.
  const shape = useShape(shown);
  const input = useMemo(() => inputOf(shape, lanes, by, groups.open), [shape, lanes, by, groups.open]);
  const now = useNow(NOW_MS);
  const faces = useMemo(() => facesOf(shown, now), [shown, now]);
  const chosen = useChosen(shape, url.at, url.up, url.down);
  const lit = url.up !== "" || url.down !== "" || url.at.length > 1 ? chosen : url.show === "matches" ? null : matched;
  const select = useCallback((at: string[]) => setUrl({ at, up: "", down: "" }, { push: true }), [setUrl]);
  const pick = (node: number | null, more: boolean) => {
    const id = node === null ? null : shape.nodes[node]!.id;
    if (id === null) return url.at.length > 0 && !more ? select([]) : undefined;
    if (!more) return select([id]);
    select(url.at.includes(id) ? url.at.filter((other) => other !== id) : [...url.at, id]);
  };
  const makeable = useMemo(
    () =>
      lineage.nodes
        .filter((node) => node.kind === "asset" && !node.external && chosen.has(node.id))
        .map((node) => node.id),
    [lineage, chosen],
  );
  useShortcut(makeable.length > 0 ? "m" : undefined, "Materialize what is selected", () => setMaking(true));
  useShortcut("0", "Show the whole graph", () => handle.current?.fit());
  const reveal = useReveal(handle, url.at, shape);
  const filters = useFilters(lineage);
  const about = `${plural(lineage.nodes.length, "node")}, ${plural(lineage.sources.length, "edge")}`;
  return (
    <Page
      title="Lineage"
      about={about}
      actions={
        <>
          <SegmentedControl
            aria-label="Show as"
            size="xs"
            value={url.as || "graph"}
            onChange={(as) => setUrl({ as: as === "graph" ? "" : as })}
            data={[
              { value: "graph", label: <Choice icon={<Workflow size={14} />} text="Graph" /> },
              { value: "list", label: <Choice icon={<List size={14} />} text="List" /> },
            ]}
          />
          <PermissionGate role="operator" location="?">
            <Button leftSection={<Hammer size={14} />} disabled={makeable.length === 0} onClick={() => setMaking(true)}>
              {makeable.length > 1 ? `Materialize ${makeable.length}` : "Materialize"}
            </Button>
          </PermissionGate>
        </>
      }
    >
      <FilterBar list={list} search="Find: orders, +gold.revenue, tag:team" filters={filters}>
        {selection !== "" && (
          <span className={classes.found} role="status">
            {matched === null ? "" : `${plural(matched.size, "asset")} found`}
          </span>
        )}
        {selection !== "" && (
          <Button
            variant={url.show === "matches" ? "light" : "default"}
            aria-pressed={url.show === "matches"}
            onClick={() => setUrl({ show: url.show === "matches" ? "" : "matches" })}
          >
            Only what was found
          </Button>
        )}
        {matched !== null && matched.size > 0 && (
          <Button variant="default" onClick={() => select([...matched].slice(0, 500))}>
            Select
          </Button>
        )}
      </FilterBar>
      {matches.error !== null && <Wrong error={matches.error} />}
      <div ref={field} className={classes.field} data-panel={url.at.length > 0 || undefined}>
        <div className={`b-card ${classes.graph}`}>
          {url.as === "list" ? (
            <LineageList
              lineage={matched === null ? lineage : only(lineage, matched)}
              selected={url.at}
              onSelect={select}
            />
          ) : shown.nodes.length === 0 ? (
            <NothingFound what="assets" clear={list.clear} />
          ) : (
            <>
              <div className={classes.ways}>
                <Select
                  aria-label="Group by"
                  size="xs"
                  w={132}
                  allowDeselect={false}
                  value={by}
                  onChange={(value) => setUrl({ by: value ?? "group", open: [] })}
                  data={GROUPINGS}
                />
                <Button
                  size="xs"
                  variant={lanes === null ? "default" : "light"}
                  aria-pressed={lanes !== null}
                  onClick={() => setUrl({ lanes: url.lanes === "off" ? "" : "off", open: [] })}
                >
                  Layers
                </Button>
                {groups.all.length > 0 && (
                  <Button
                    size="xs"
                    variant="default"
                    onClick={() => setUrl({ open: groups.open.length > 0 ? [CLOSED] : groups.all })}
                  >
                    {groups.open.length > 0 ? "Close groups" : "Open groups"}
                  </Button>
                )}
              </div>
              <GraphView
                graph={input}
                faces={faces}
                laneTones={laneTones}
                selected={chosen}
                lit={lit}
                label="Lineage"
                onPick={pick}
                onPickMany={(nodes) => select([...new Set([...url.at, ...nodes.map((node) => shape.nodes[node]!.id)])])}
                onToggle={(key) => setUrl({ open: toggled(groups.open, key) })}
                onLayout={reveal}
                handle={handle}
              />
            </>
          )}
        </div>
        {url.at.length > 0 && (
          <Panel
            lineage={lineage}
            at={url.at}
            chosen={chosen}
            up={url.up}
            down={url.down}
            onReach={(up, down) => setUrl({ up, down })}
            onSelect={select}
            onColumns={onColumns}
            onShow={(id) => handle.current?.reveal(id)}
            onMake={makeable.length > 0 ? () => setMaking(true) : undefined}
          />
        )}
      </div>
      <Materialize
        opened={making}
        assets={makeable}
        onClose={() => setMaking(false)}
        onLaunched={() => void queries.invalidateQueries({ queryKey: ["whole-lineage"] })}
      />
    </Page>
  );
}

const GROUPINGS = [
  { value: "group", label: "By group" },
  { value: "location", label: "By location" },
  { value: "kind", label: "By kind" },
  { value: "none", label: "Without groups" },
];

function Choice({ icon, text }: { icon: React.ReactNode; text: string }) {
  return (
    <span className={classes.choice}>
      {icon} {text}
    </span>
  );
}

function Wrong({ error }: { error: unknown }) {
  const { what, hint } = words(error);
  return (
    <p className={classes.wrong} role="alert">
      {[capital(what), hint].filter(Boolean).join(": ")}
    </p>
  );
}

function toggled(open: readonly string[], key: string): string[] {
  const next = open.includes(key) ? open.filter((other) => other !== key) : [...open, key];
  return next.length === 0 ? [CLOSED] : next;
}
