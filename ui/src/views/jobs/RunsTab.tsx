import { useInfiniteQuery } from "@tanstack/react-query";
import { runQueries, type Run } from "@/api/runs";
import { partitionsText } from "@/app/format";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { FilterBar, stateOptions, type Filter } from "@/components/FilterBar";
import { RunLink } from "@/components/links";
import { tableOf } from "@/components/list";
import { StateBadge } from "@/components/StateBadge";
import { useListState } from "@/components/table-state";
import { Duration, RelativeTime } from "@/components/time";
import { RUN_STATES } from "@/design/states";

const LIST = { sort: "-id", filters: { state: [], partition: "" } };

const FILTERS: Filter[] = [
  { id: "state", label: "State", kind: "many", options: stateOptions(RUN_STATES) },
  { id: "partition", label: "Partition", kind: "text", width: 120 },
];

const COLUMNS: Column<Run>[] = [
  { id: "id", header: "Run", cell: (run) => <RunLink run={run.id} />, sorts: ["-id", "id"], width: "84px", card: "head" },
  { id: "state", header: "State", cell: (run) => <StateBadge state={run.state} />, width: "136px", card: "head" },
  { id: "about", header: "About", cell: (run) => partitionsText(run.partition) || paramsText(run.params) || <span className="b-dim">–</span> },
  { id: "trigger", header: "Started by", cell: (run) => (run.origin ? `${run.trigger}: ${run.origin}` : run.trigger), width: "170px" },
  { id: "created", header: "Created", cell: (run) => <RelativeTime at={run.created_at} />, width: "110px" },
  {
    id: "duration",
    header: "Duration",
    cell: (run) => <Duration seconds={run.duration_s} since={run.state === "queued" ? null : run.started_at} />,
    width: "100px",
    align: "right",
  },
  { id: "error", header: "Error", cell: (run) => run.error, hidden: true },
];

function paramsText(params: Record<string, unknown>): string {
  return Object.entries(params).map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`).join(", ");
}

export function RunsTab({ job, location }: { job: string; location: string }) {
  const list = useListState(LIST);
  const query = useInfiniteQuery(runQueries.list({ ...list.query, job: [job], location: [location] }));
  return (
    <>
      <FilterBar list={list} search="Search runs" filters={FILTERS} table={{ name: "job-runs", columns: COLUMNS }} />
      <DataTable
        name="job-runs"
        label={`Runs of ${job}`}
        columns={COLUMNS}
        {...tableOf(query)}
        rowKey={(run) => String(run.id)}
        target={(run) => ({ to: "/runs/$run", params: { run: String(run.id) } })}
        sort={list.sort}
        onSort={list.setSort}
        empty={
          list.filtered ? (
            <NothingFound what="runs" clear={list.clear} />
          ) : (
            <EmptyState title="It has not run yet" command={`batuta runs launch ${job}`}>
              Launch it here, or from a terminal.
            </EmptyState>
          )
        }
      />
    </>
  );
}
