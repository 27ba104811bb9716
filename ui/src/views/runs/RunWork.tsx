// The middle of a run's page: its timeline and its graph, side by side, with what both are filtered by.
import { Button, Checkbox, SegmentedControl, Skeleton, TextInput, Tooltip } from "@mantine/core";
import { useLocalStorage, useMediaQuery } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { lazy, Suspense, useEffect, useMemo, useRef, type KeyboardEvent, type PointerEvent } from "react";
import { useUrlState } from "@/app/search";
import { ErrorView } from "@/components/ErrorView";
import { lookOf, TASK_STATES } from "@/design/states";
import { graphOf } from "./queries";
import { GanttChart } from "./gantt/GanttChart";
import { countsOf, groupsOf, taskOf } from "./gantt/rows";
import type { Timeline } from "./gantt/timeline";
import classes from "./RunWork.module.css";
import { useTries, type RunTimeline } from "./useTimeline";
import { worstOf } from "./states";

const loadGraph = () => import("./RunGraph");
const RunGraph = lazy(() => loadGraph().then((module) => ({ default: module.RunGraph })));

const URL_STATE = { view: "both", task: "", name: "", states: [] as string[], critical: "", open: [] as string[] };
const OPEN_ALL_MAX = 80;
const CLOSED = "-";

interface Props {
  run: number;
  isFlow: boolean;
  live: boolean;
  line: RunTimeline;
}

export function RunWork({ run, isFlow, live, line }: Props) {
  const { timeline, version, grown } = line;
  const [url, setUrl] = useUrlState(URL_STATE);
  const narrow = useMediaQuery("(max-width: 900px)", window.matchMedia("(max-width: 900px)").matches);
  const [split, setSplit] = useLocalStorage({
    key: "batuta.run.split",
    defaultValue: 58,
    getInitialValueInEffect: false,
  });
  const tries = useTries(run, timeline);
  const queries = useQueryClient();
  // What the graph needs is fetched beside the timeline, not after it.
  useEffect(() => {
    void loadGraph();
    void queries.prefetchQuery(graphOf(run));
  }, [queries, run]);
  const open = useOpen(timeline, isFlow, url.open, version);
  if (timeline === null) {
    return line.error === null ? (
      <Skeleton height={360} radius="md" />
    ) : (
      <ErrorView error={line.error} retry={line.retry} />
    );
  }
  const view = url.view === "both" && narrow ? "timeline" : url.view;
  const selected = url.task === "" ? null : Number(url.task);
  const step = selected === null ? null : stepOf(timeline, selected);
  const select = (no: number) => setUrl({ task: String(no) }, { push: true });
  return (
    <section className={`b-card ${classes.work}`} aria-label="Timeline and graph">
      <div className={classes.bar}>
        <SegmentedControl
          aria-label="View"
          size="xs"
          value={view}
          onChange={(next) => setUrl({ view: next })}
          data={[
            ...(narrow ? [] : [{ value: "both", label: "Both" }]),
            { value: "timeline", label: "Timeline" },
            { value: "graph", label: "Graph" },
          ]}
        />
        <TextInput
          className={classes.find}
          aria-label="Find task runs"
          placeholder="Find task runs"
          leftSection={<Search size={14} />}
          value={url.name}
          onChange={(event) => setUrl({ name: event.currentTarget.value })}
        />
        <States timeline={timeline} version={version} chosen={url.states} onChoose={(states) => setUrl({ states })} />
        <span className={classes.space} />
        <Tooltip label="The task runs that the run's duration hangs on">
          <div>
            <Checkbox
              size="xs"
              label="Critical path"
              checked={url.critical !== ""}
              onChange={(event) => setUrl({ critical: event.currentTarget.checked ? "1" : "" })}
            />
          </div>
        </Tooltip>
        {open.groups > 0 && (
          <Button
            variant="subtle"
            color="gray"
            onClick={() => setUrl({ open: open.keys.size > 0 ? [CLOSED] : open.all })}
          >
            {open.keys.size > 0 ? "Close all" : "Open all"}
          </Button>
        )}
      </div>
      <div
        className={classes.split}
        data-view={view}
        style={{ "--split": `${split}%`, "--rows": open.rows } as React.CSSProperties}
      >
        {view !== "graph" && (
          <div className={classes.side}>
            <GanttChart
              {...{ timeline, version, isFlow, live, selected, tries }}
              onSelect={select}
              open={open.keys}
              onOpen={(keys) => setUrl({ open: keys.size === 0 ? [CLOSED] : [...keys] })}
              critical={url.critical !== ""}
              text={url.name}
              states={url.states}
            />
          </div>
        )}
        {view === "both" && <Divider value={split} onChange={setSplit} />}
        {view !== "timeline" && (
          <div className={classes.side}>
            <Suspense fallback={<Skeleton height="100%" radius={0} />}>
              <RunGraph
                {...{ run, isFlow, timeline, version, grown }}
                selected={step}
                critical={url.critical !== ""}
                onSelect={(chosen, folded) => {
                  const no = mostUrgent(timeline, chosen, folded);
                  if (no !== null) select(no);
                }}
              />
            </Suspense>
          </div>
        )}
      </div>
    </section>
  );
}

function stepOf(timeline: Timeline, no: number): string | null {
  const i = timeline.indexOf.get(no);
  return i === undefined ? null : timeline.steps[timeline.step[i]!]!;
}

/** Of a step's task runs the one that one would look at first. */
function mostUrgent(timeline: Timeline, node: string, folded: boolean): number | null {
  const meant = timeline.steps.map((step) => (folded ? taskOf(step) : step) === node);
  const members = [...timeline.no.keys()].filter((i) => meant[timeline.step[i]!]);
  const worst = worstOf(countsOf(timeline, members));
  const found = members.find((i) => timeline.state[i] === worst);
  return found === undefined ? null : timeline.no[found]!;
}

/** Which groups are open: what the URL says, else all of a small run and none of a large one. */
function useOpen(timeline: Timeline | null, isFlow: boolean, said: string[], version: number) {
  const sizes = useMemo(() => {
    if (timeline === null) return [];
    return groupsOf(timeline, isFlow).list.map(({ key, members }) => ({ key, size: members.length }));
  }, [timeline, isFlow, version]);
  const all = sizes.filter(({ size }) => size > 1).map(({ key }) => key);
  const usual = timeline !== null && timeline.no.length <= OPEN_ALL_MAX;
  const names = said.join("\n");
  const groups = all.join("\n");
  const keys = useMemo(() => {
    if (said.length > 0) return new Set(said.filter((key) => key !== CLOSED));
    return new Set(usual ? all : []);
  }, [names, usual, groups]);
  const rows = sizes.reduce((sum, { key, size }) => sum + 1 + (size > 1 && keys.has(key) ? size : 0), 0);
  return { keys, all, rows, groups: all.length };
}

function States({
  timeline,
  version,
  chosen,
  onChoose,
}: {
  timeline: Timeline;
  version: number;
  chosen: string[];
  onChoose(states: string[]): void;
}) {
  const counts = useMemo(() => countsOf(timeline, [...timeline.no.keys()]), [timeline, version]);
  const shown = TASK_STATES.filter((state) => (counts[state] ?? 0) > 0 || chosen.includes(state));
  return (
    <div className={classes.states} role="group" aria-label="States">
      {shown.map((state) => {
        const look = lookOf(state);
        const on = chosen.includes(state);
        return (
          <button
            key={state}
            type="button"
            className={classes.state}
            aria-pressed={on}
            data-tone={look.tone}
            style={
              {
                "--tone-fg": `var(--b-${look.tone}-fg)`,
                "--tone-bg": `var(--b-${look.tone}-bg)`,
              } as React.CSSProperties
            }
            onClick={() => onChoose(on ? chosen.filter((other) => other !== state) : [...chosen, state])}
          >
            <look.icon size={12} strokeWidth={2.4} aria-hidden />
            {look.label} <b>{(counts[state] ?? 0).toLocaleString("en-US")}</b>
          </button>
        );
      })}
    </div>
  );
}

const LEAST = 25;
const MOST = 78;

function Divider({ value, onChange }: { value: number; onChange(value: number): void }) {
  const dragged = useRef(false);
  const to = (percent: number) => onChange(Math.round(Math.min(MOST, Math.max(LEAST, percent))));
  const move = (event: PointerEvent<HTMLDivElement>) => {
    if (!dragged.current) return;
    const box = event.currentTarget.parentElement!.getBoundingClientRect();
    to(((event.clientX - box.left) / box.width) * 100);
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "ArrowLeft") to(value - 3);
    else if (event.key === "ArrowRight") to(value + 3);
    else return;
    event.preventDefault();
  };
  return (
    <div
      className={classes.divider}
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the timeline"
      aria-valuenow={value}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      tabIndex={0}
      onKeyDown={press}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        dragged.current = true;
      }}
      onPointerMove={move}
      onPointerUp={() => (dragged.current = false)}
      onPointerCancel={() => (dragged.current = false)}
    />
  );
}
