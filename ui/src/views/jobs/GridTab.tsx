// Runs by tasks: a column per run, newest at the right, a row per step; groups open and close. Arrow keys go from cell
// to cell.
import { ActionIcon, Button, SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ChevronDown, ChevronRight } from "lucide-react";
import { useMemo, type KeyboardEvent } from "react";
import { jobQueries } from "@/api/jobs";
import type { Schema } from "@/api/client";
import { durationText, minuteText, partitionsText } from "@/app/format";
import { usePreferences } from "@/app/preferences";
import { useUrlState } from "@/app/search";
import { EmptyState } from "@/components/EmptyState";
import { ErrorView } from "@/components/ErrorView";
import { Section } from "@/components/Page";
import { StateBadge } from "@/components/StateBadge";
import { lookOf } from "@/design/states";
import { cellsOf, rowsOf, worstOf, type Cell, type Row } from "./grid";
import classes from "./grid.module.css";

type GridRun = Schema<"GridRun">;

const URL = { runs: "30", before: "", closed: [] as string[] };
const COUNTS = ["15", "30", "60", "100"];
const BAR_PX = 56;

export function GridTab({ job, location }: { job: string; location: string }) {
  const [{ runs: count, before, closed }, set] = useUrlState(URL);
  const { data, error, refetch } = useQuery(jobQueries.grid(job, location, Number(count) || 30, before || undefined));
  const cells = useMemo(() => (data ? cellsOf(data) : new Map<string, Cell>()), [data]);
  const rows = useMemo(() => (data ? rowsOf(data, new Set(closed)) : []), [data, closed]);
  const runs = useMemo(() => [...(data?.runs ?? [])].reverse(), [data]);
  if (error && !data) return <ErrorView error={error} retry={() => void refetch()} />;
  if (!data) return null;
  if (runs.length === 0)
    return <EmptyState title="It has not run yet" command={`batuta runs launch ${job}`}>Each run becomes a column here, each task a row.</EmptyState>;
  const toggle = (path: string) => set({ closed: closed.includes(path) ? closed.filter((each) => each !== path) : [...closed, path] });
  return (
    <Section
      flush
      title={before ? "Older runs" : `The last ${runs.length} runs`}
      actions={
        <div className={classes.actions}>
          <SegmentedControl size="xs" aria-label="Runs shown" data={COUNTS} value={count} onChange={(value) => set({ runs: value })} />
          <Button size="compact-sm" variant="default" disabled={!data.next} onClick={() => set({ before: data.next ?? "" }, { push: true })}>
            Older
          </Button>
          <Button size="compact-sm" variant="default" disabled={!before} onClick={() => set({ before: "" })}>
            Newest
          </Button>
        </div>
      }
    >
      <div className={classes.scroll} tabIndex={0} role="region" aria-label={`Runs of ${job} by tasks`} onKeyDown={move}>
        <table className={classes.grid}>
          <thead>
            <RunHeads runs={runs} />
          </thead>
          <tbody>
            {rows.map((row, y) => (
              <tr key={row.kind === "group" ? `:${row.path}` : row.step}>
                <th scope="row" style={{ paddingLeft: 10 + row.depth * 16 }} className={row.kind === "group" ? classes.group : undefined}>
                  {row.kind === "group" && (
                    <ActionIcon size={20} onClick={() => toggle(row.path)} aria-expanded={row.open} aria-label={`Group ${row.title}`}>
                      {row.open ? <ChevronDown size={14} /> : <ChevronRight size={14} />}
                    </ActionIcon>
                  )}
                  <span className="b-ellipsis" title={row.kind === "step" ? row.step : row.path}>
                    {row.title}
                  </span>
                </th>
                {runs.map((run, x) => (
                  <td key={run.id}>
                    <GridCell row={row} run={run} cells={cells} at={`${x} ${y}`} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Legend cells={data.cells} />
    </Section>
  );
}

/** A bar per run: how long it took, in the colour of its state. */
function RunHeads({ runs }: { runs: GridRun[] }) {
  const { zone } = usePreferences();
  const took = runs.map((run) => (run.started_at && run.finished_at ? (Date.parse(run.finished_at) - Date.parse(run.started_at)) / 1000 : 0));
  const longest = Math.max(...took, 0.001);
  return (
    <tr>
      <th scope="col" className={classes.corner}>
        <span className="b-dim">{durationText(longest)} at most</span>
      </th>
      {runs.map((run, x) => {
        const look = lookOf(run.state);
        const about = partitionsText(run.partition) || minuteText(Date.parse(run.logical_at ?? run.created_at), zone);
        const words = `Run ${run.id}, ${about}: ${look.label}${took[x] ? `, ${durationText(took[x])}` : ""}`;
        return (
          <th key={run.id} scope="col">
            <Link to="/runs/$run" params={{ run: String(run.id) }} className={classes.bar} title={words} aria-label={words} data-at={`${x} -1`}>
              <span style={{ height: Math.max(4, ((took[x] ?? 0) / longest) * BAR_PX), background: `var(--b-${look.tone}-solid)` }} />
            </Link>
          </th>
        );
      })}
    </tr>
  );
}

function GridCell({ row, run, cells, at }: { row: Row; run: GridRun; cells: Map<string, Cell>; at: string }) {
  const found = row.kind === "step" ? [cells.get(`${run.id} ${row.step}`)] : row.steps.map((step) => cells.get(`${run.id} ${step}`));
  const state = worstOf(found);
  if (state === undefined) return <span className={classes.none} aria-hidden />;
  const look = lookOf(state);
  const [only] = found;
  const words = `${row.kind === "step" ? row.step : row.path} in run ${run.id}: ${countsText(found) || look.label}`;
  return (
    <Link
      to="/runs/$run"
      params={{ run: String(run.id) }}
      search={row.kind === "step" && only ? { task: String(only.no) } : {}}
      className={classes.cell}
      data-tone={look.tone}
      data-group={row.kind === "group" || undefined}
      data-at={at}
      tabIndex={-1}
      title={words}
      aria-label={words}
    >
      <look.icon size={11} strokeWidth={3} aria-hidden />
      {row.kind === "step" && only && only.attempts > 1 && <i aria-hidden>{only.attempts}</i>}
    </Link>
  );
}

function countsText(cells: readonly (Cell | undefined)[]): string {
  const counts: Record<string, number> = {};
  for (const cell of cells) for (const [state, count] of Object.entries(cell?.counts ?? {})) counts[state] = (counts[state] ?? 0) + count;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (total <= 1) return "";
  return Object.entries(counts).map(([state, count]) => `${count} ${lookOf(state).label.toLowerCase()}`).join(", ");
}

function Legend({ cells }: { cells: Cell[] }) {
  const states = [...new Set(cells.map((cell) => cell.state))].sort();
  return (
    <div className={classes.legend}>
      {states.map((state) => (
        <StateBadge key={state} state={state} />
      ))}
    </div>
  );
}

const STEPS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Arrow keys: the next cell in that direction that there is. */
function move(event: KeyboardEvent<HTMLDivElement>): void {
  const step = STEPS[event.key];
  const from = (event.target as HTMLElement).closest<HTMLElement>("[data-at]")?.dataset.at;
  if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
  let [x, y] = (from ?? "-1 -1").split(" ").map(Number) as [number, number];
  for (let tries = 0; tries < 500; tries++) {
    [x, y] = [x + step[0], y + step[1]];
    const next = event.currentTarget.querySelector<HTMLElement>(`[data-at="${x} ${y}"]`);
    if (next) {
      event.preventDefault();
      next.focus();
      next.scrollIntoView({ block: "nearest", inline: "nearest" });
      return;
    }
    if (x < -1 || y < -1 || x > 500 || y > 20_000) return;
  }
}
