// The Gantt chart of a run. The names at the left are a tree for keyboards and screen readers, drawn where they are
// seen; the bars are a canvas beside them that scrolls with them.
import { ActionIcon, Tooltip } from "@mantine/core";
import { ChevronDown, ChevronRight, Minus, MoveHorizontal, Plus } from "lucide-react";
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { durationText } from "@/app/format";
import { StateBadge } from "@/components/StateBadge";
import { lookOf, TASK_STATES } from "@/design/states";
import { Chart } from "./chart";
import classes from "./GanttChart.module.css";
import { ROW_H, type Try } from "./paint";
import { countsOf, groupsOf, labelOf, rowsOf, type Row } from "./rows";
import type { Timeline } from "./timeline";

interface Props {
  timeline: Timeline;
  /** Changes with every change of the timeline, which is changed in place. */
  version: number;
  isFlow: boolean;
  live: boolean;
  /** The number of the task run that is looked at. */
  selected: number | null;
  onSelect(no: number): void;
  open: ReadonlySet<string>;
  onOpen(open: ReadonlySet<string>): void;
  tries: ReadonlyMap<number, readonly Try[]>;
  critical: boolean;
  /** Only task runs with this in their name, and in these states. */
  text: string;
  states: readonly string[];
}

const AHEAD = 8;
const NO_TRIES: ReadonlyMap<number, readonly Try[]> = new Map();

export function GanttChart(props: Props) {
  const { timeline, version, isFlow, live, selected, open, critical, text, states } = props;
  const groups = useMemo(() => groupsOf(timeline, isFlow), [timeline, isFlow, version]);
  const rows = useMemo(() => {
    const words = text.toLowerCase();
    const filtered = words !== "" || states.length > 0;
    const wanted = (i: number) =>
      (states.length === 0 || states.includes(timeline.state[i]!)) &&
      (words === "" || labelOf(timeline, i).toLowerCase().includes(words));
    return rowsOf(timeline, groups, (key) => open.has(key), filtered ? wanted : undefined);
  }, [timeline, groups, open, text, states, version]);
  const at = selected === null ? null : (timeline.indexOf.get(selected) ?? null);

  const latest = useRef(props);
  useLayoutEffect(() => {
    latest.current = props;
  });
  const parts = {
    scroller: useRef<HTMLDivElement>(null),
    canvas: useRef<HTMLCanvasElement>(null),
    overview: useRef<HTMLCanvasElement>(null),
    axis: useRef<HTMLDivElement>(null),
  };
  const [chart, setChart] = useState<Chart | null>(null);
  const [follows, setFollows] = useState(true);
  const [hovered, setHovered] = useState<{ i: number; x: number; y: number } | null>(null);
  useLayoutEffect(() => {
    const made = new Chart({
      scroller: parts.scroller.current!,
      canvas: parts.canvas.current!,
      overview: parts.overview.current!,
      axis: parts.axis.current!,
    });
    made.onPick = (i) => latest.current.onSelect(latest.current.timeline.no[i]!);
    made.onToggle = (key) => latest.current.onOpen(toggled(latest.current.open, key));
    made.onFollow = setFollows;
    made.onHover = (i, { x, y }) => setHovered(i === null ? null : { i, x, y });
    setChart(made);
    return () => made.close();
    // The elements are there for as long as the component is.
  }, []);
  useEffect(() => {
    chart?.show({ timeline, rows, tries: props.tries ?? NO_TRIES, live, selected: at, critical });
  }, [chart, timeline, rows, props.tries, live, at, critical, version]);

  return (
    <div className={classes.gantt}>
      <div className={classes.head}>
        <div className={classes.corner}>
          <Tool label="Zoom in" onClick={() => chart?.zoom(1.6)} icon={<Plus size={14} />} />
          <Tool label="Zoom out" onClick={() => chart?.zoom(1 / 1.6)} icon={<Minus size={14} />} />
          <Tool
            label="Show the whole run"
            onClick={() => chart?.follow()}
            icon={<MoveHorizontal size={14} />}
            disabled={follows}
          />
        </div>
        <div className={classes.times}>
          <canvas ref={parts.overview} className={classes.overview} aria-hidden="true" />
          <div ref={parts.axis} className={classes.axis} aria-hidden="true" />
        </div>
      </div>
      <div ref={parts.scroller} className={classes.scroller}>
        <div className={classes.inner} style={{ height: rows.length * ROW_H }}>
          <Names
            {...{ rows, timeline, selected: at, scroller: parts.scroller, version }}
            onReveal={(r) => chart?.reveal(r)}
            latest={latest}
          />
          <canvas ref={parts.canvas} className={classes.canvas} aria-hidden="true" />
        </div>
        {rows.length === 0 && <p className={classes.none}>No task run fits.</p>}
      </div>
      {hovered !== null && <Tip timeline={timeline} {...hovered} />}
    </div>
  );
}

function Tool({
  label,
  onClick,
  icon,
  disabled,
}: {
  label: string;
  onClick(): void;
  icon: React.ReactNode;
  disabled?: boolean;
}) {
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} onClick={onClick} size={24} disabled={disabled}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}

function toggled(open: ReadonlySet<string>, key: string): ReadonlySet<string> {
  const next = new Set(open);
  if (!next.delete(key)) next.add(key);
  return next;
}

function Tip({ timeline, i, x, y }: { timeline: Timeline; i: number; x: number; y: number }) {
  const start = timeline.start[i];
  const end = timeline.end[i];
  const took = start != null && end != null ? durationText(end - start) : "";
  return (
    <div className={classes.tip} style={{ "--x": `${x}px`, "--y": `${y}px` } as React.CSSProperties} aria-hidden="true">
      <strong>{labelOf(timeline, i)}</strong>
      <span className="b-dim">
        {[lookOf(timeline.state[i]!).label, took, timeline.attempt[i]! > 1 ? `attempt ${timeline.attempt[i]}` : ""]
          .filter(Boolean)
          .join(" · ")}
      </span>
    </div>
  );
}

// ---- names ----

interface NamesProps {
  rows: readonly Row[];
  timeline: Timeline;
  selected: number | null;
  scroller: React.RefObject<HTMLDivElement | null>;
  version: number;
  latest: React.RefObject<Props>;
  onReveal(row: number): void;
}

/** Which rows are in sight: from and to. */
function useSight(scroller: React.RefObject<HTMLDivElement | null>, count: number): [number, number] {
  const [sight, setSight] = useState<[number, number]>([0, 40]);
  // The scroller is around whoever asks, so there is none yet when layout effects run.
  useEffect(() => {
    const element = scroller.current!;
    const look = () => {
      const from = Math.max(0, Math.floor(element.scrollTop / ROW_H) - AHEAD);
      const to = Math.ceil((element.scrollTop + element.clientHeight) / ROW_H) + AHEAD;
      setSight((before) => (before[0] === from && before[1] === to ? before : [from, to]));
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    const watcher = new ResizeObserver(look);
    watcher.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      watcher.disconnect();
    };
  }, [scroller, count]);
  return sight;
}

function Names({ rows, timeline, selected, scroller, latest, onReveal }: NamesProps) {
  const [from, to] = useSight(scroller, rows.length);
  const [focus, setFocus] = useState(0);
  const at = Math.min(focus, rows.length - 1);
  const go = (r: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, r));
    setFocus(next);
    onReveal(next);
  };
  const choose = (row: Row) => {
    if (row.kind === "task") latest.current.onSelect(timeline.no[row.i]!);
    else latest.current.onOpen(toggled(latest.current.open, row.key));
  };
  const press = (event: KeyboardEvent) => {
    const row = rows[at];
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_H) - 1);
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      j: at + 1,
      k: at - 1,
      Home: 0,
      End: rows.length - 1,
      PageDown: at + page,
      PageUp: at - page,
    };
    const move = moves[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || row === undefined) return;
    if (move !== undefined) go(move);
    else if (event.key === "Enter" || event.key === " ") choose(row);
    else if (event.key === "ArrowRight" && row.kind === "group" && !row.open) choose(row);
    else if (event.key === "ArrowLeft" && row.kind === "group" && row.open) choose(row);
    else return;
    event.preventDefault();
  };
  const shown = rows.slice(from, to);
  return (
    <div
      className={classes.names}
      role="tree"
      aria-label="Task runs"
      tabIndex={0}
      onKeyDown={press}
      aria-activedescendant={at >= from && at < to ? `gantt-row-${at}` : undefined}
    >
      {shown.map((row, k) => (
        <Name
          key={row.kind === "group" ? `g ${row.key}` : timeline.no[row.i]}
          row={row}
          r={from + k}
          count={rows.length}
          timeline={timeline}
          focused={from + k === at}
          selected={row.kind === "task" && row.i === selected}
          onClick={() => {
            setFocus(from + k);
            choose(row);
          }}
        />
      ))}
    </div>
  );
}

interface NameProps {
  row: Row;
  r: number;
  count: number;
  timeline: Timeline;
  focused: boolean;
  selected: boolean;
  onClick(): void;
}

function Name({ row, r, count, timeline, focused, selected, onClick }: NameProps) {
  const common = {
    id: `gantt-row-${r}`,
    role: "treeitem",
    "aria-posinset": r + 1,
    "aria-setsize": count,
    "data-focused": focused || undefined,
    className: classes.name,
    style: { transform: `translateY(${r * ROW_H}px)` },
    onClick,
  };
  if (row.kind === "group") {
    const counts = countsOf(timeline, row.members);
    const worst =
      TASK_STATES.find((state) => URGENT.has(state) && counts[state]) ??
      (counts.running ? "running" : counts.succeeded === row.members.length ? "succeeded" : "queued");
    const done =
      (counts.succeeded ?? 0) +
      (counts.skipped ?? 0) +
      (counts.failed ?? 0) +
      (counts.upstream_failed ?? 0) +
      (counts.cancelled ?? 0);
    return (
      <div {...common} aria-level={1} aria-expanded={row.open} aria-selected={false}>
        <span className={classes.caret}>{row.open ? <ChevronDown size={13} /> : <ChevronRight size={13} />}</span>
        <StateBadge state={worst} compact />
        <span className={`b-ellipsis ${classes.label}`}>{row.key}</span>
        <span className={classes.count}>
          {done === row.members.length
            ? done.toLocaleString("en-US")
            : `${done.toLocaleString("en-US")}/${row.members.length.toLocaleString("en-US")}`}
        </span>
      </div>
    );
  }
  return (
    <div
      {...common}
      aria-level={row.depth + 1}
      aria-selected={selected}
      data-depth={row.depth}
      data-selected={selected || undefined}
    >
      <span className={classes.caret} />
      <StateBadge state={timeline.state[row.i]!} compact />
      <span className={`b-ellipsis ${classes.label}`} title={row.label}>
        {row.label}
      </span>
    </div>
  );
}

const URGENT: ReadonlySet<string> = new Set([
  "failed",
  "upstream_failed",
  "cancelled",
  "paused",
  "retrying",
  "deferred",
]);
