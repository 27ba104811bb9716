// What was recorded of a run, in its order: what everything else on the page is made from.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Schema } from "@/api/client";
import { runQueries } from "@/api/runs";
import type { Search } from "@/app/search";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { FilterBar, type Filter } from "@/components/FilterBar";
import { tableOf } from "@/components/list";
import { useListState } from "@/components/table-state";
import { AbsoluteTime } from "@/components/time";
import { lookOf } from "@/design/states";
import classes from "./RunEvents.module.css";

type Event = Schema<"RunEvent">;

const KINDS = [
  "run_started",
  "tasks_requested",
  "tasks_dropped",
  "attempt_started",
  "attempt_succeeded",
  "attempt_failed",
  "attempt_skipped",
  "attempt_deferred",
  "attempt_cancelled",
  "attempt_lost",
  "timer_fired",
  "trigger_fired",
  "input_given",
  "cancel_asked",
  "restart_asked",
  "asset_materialized",
  "check_evaluated",
  "run_finished",
];
/** Not `kind`: that is a filter of the list of task runs, beside this one. */
const LIST = { sort: "", filters: { event: [] } };
const FILTERS: Filter[] = [
  {
    id: "event",
    label: "Kind",
    kind: "many",
    options: KINDS.map((value) => ({ value, label: value.replaceAll("_", " ") })),
  },
];

const COLUMNS: Column<Event>[] = [
  { id: "seq", header: "#", cell: (event) => event.seq, width: "64px", align: "right", card: "none" },
  {
    id: "at",
    header: "When",
    cell: (event) => <AbsoluteTime at={event.at} show="clock" />,
    width: "96px",
    card: "head",
  },
  {
    id: "kind",
    header: "What",
    cell: (event) => (
      <span className={classes.kind} data-tone={toneOf(event.kind)}>
        {event.kind.replaceAll("_", " ")}
      </span>
    ),
    width: "190px",
    card: "head",
  },
  {
    id: "task",
    header: "Task run",
    cell: (event) =>
      event.task === null ? (
        ""
      ) : (
        <Link
          to="."
          search={(before: Search) => ({ ...before, task: String(event.task) })}
          className="b-link"
          resetScroll={false}
        >
          {event.task}
        </Link>
      ),
    width: "84px",
  },
  {
    id: "data",
    header: "Data",
    cell: (event) => (
      <code className={classes.data} title={JSON.stringify(event.data, null, 1)}>
        {JSON.stringify(event.data)}
      </code>
    ),
  },
];

function toneOf(kind: string): string {
  return lookOf(kind.replace(/^attempt_/, "")).tone;
}

export function RunEvents({ run }: { run: number }) {
  const list = useListState(LIST);
  const query = useInfiniteQuery(runQueries.events(run, { kind: list.filters.event as string[], text: list.text }));
  return (
    <>
      <FilterBar list={list} search="Search events" filters={FILTERS} />
      <DataTable
        name="run-events"
        label="Events"
        columns={COLUMNS}
        {...tableOf(query)}
        rowKey={(event) => String(event.id)}
        empty={
          list.filtered ? (
            <NothingFound what="events" clear={list.clear} />
          ) : (
            <EmptyState title="Nothing has happened yet">Events stand here as soon as the run begins.</EmptyState>
          )
        }
      />
    </>
  );
}
