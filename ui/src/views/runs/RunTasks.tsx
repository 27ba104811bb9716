// The task runs of a run as a list, for what a chart cannot do: orders, searching in errors.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { runQueries, type TaskRun } from "@/api/runs";
import type { Search } from "@/app/search";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { FilterBar, stateOptions, type Filter } from "@/components/FilterBar";
import { tableOf } from "@/components/list";
import { StateBadge } from "@/components/StateBadge";
import { useListState } from "@/components/table-state";
import { AbsoluteTime, Duration } from "@/components/time";
import { TASK_STATES } from "@/design/states";

const LIST = { sort: "no", filters: { state: [], kind: [] } };
const FILTERS: Filter[] = [
  { id: "state", label: "State", kind: "many", options: stateOptions(TASK_STATES) },
  {
    id: "kind",
    label: "Kind",
    kind: "many",
    options: ["task", "operator", "asset", "check", "flow", "subflow", "input"].map((value) => ({ value })),
  },
];

function TaskLink({ task }: { task: TaskRun }) {
  return (
    <Link
      to="."
      search={(before: Search) => ({ ...before, task: String(task.no) })}
      className="b-link"
      resetScroll={false}
    >
      {task.key}
    </Link>
  );
}

const COLUMNS: Column<TaskRun>[] = [
  { id: "key", header: "Task run", cell: (task) => <TaskLink task={task} />, card: "head", sorts: ["no", "-no"] },
  { id: "state", header: "State", cell: (task) => <StateBadge state={task.state} />, width: "150px", card: "head" },
  { id: "kind", header: "Kind", cell: (task) => task.kind, width: "84px" },
  { id: "attempt", header: "Attempts", cell: (task) => task.attempt, width: "84px", align: "right" },
  {
    id: "started",
    header: "Began",
    cell: (task) => <AbsoluteTime at={task.started_at} show="clock" />,
    width: "100px",
  },
  {
    id: "duration",
    header: "Duration",
    cell: (task) => <Duration seconds={task.duration_s} since={task.state === "running" ? task.started_at : null} />,
    width: "100px",
    align: "right",
    sorts: ["-duration", "duration"],
  },
  {
    id: "why",
    header: "Why",
    cell: (task) => (task.error ? `${task.error.type}: ${task.error.message}` : task.reason),
  },
  { id: "code", header: "Code", cell: (task) => <span className="b-mono">{task.code}</span>, hidden: true },
];

export function RunTasks({ run }: { run: number }) {
  const list = useListState(LIST);
  const query = useInfiniteQuery(runQueries.tasks(run, list.query));
  return (
    <>
      <FilterBar
        list={list}
        search="Search task runs"
        filters={FILTERS}
        table={{ name: "run-tasks", columns: COLUMNS }}
      />
      <DataTable
        name="run-tasks"
        label="Task runs"
        columns={COLUMNS}
        {...tableOf(query)}
        rowKey={(task) => String(task.no)}
        sort={list.sort}
        onSort={list.setSort}
        empty={
          list.filtered ? (
            <NothingFound what="task runs" clear={list.clear} />
          ) : (
            <EmptyState title="Nothing has been called yet">
              Task runs stand here as soon as the run begins them.
            </EmptyState>
          )
        }
      />
    </>
  );
}
