import { useInfiniteQuery } from "@tanstack/react-query";
import { jobQueries, type Job } from "@/api/jobs";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { FilterBar, stateOptions, type Filter } from "@/components/FilterBar";
import { JobLink, RunLink } from "@/components/links";
import { tableOf } from "@/components/list";
import { Page } from "@/components/Page";
import { StateBadge, Tag } from "@/components/StateBadge";
import { useListState } from "@/components/table-state";
import { RelativeTime } from "@/components/time";
import { RUN_STATES } from "@/design/states";

const LIST = { sort: "name", filters: { kind: [], location: [], tag: [], owner: "", last: [] } };

const FILTERS: Filter[] = [
  { id: "kind", label: "Kind", kind: "many", options: ["flow", "dag", "assets", "task"].map((value) => ({ value })) },
  { id: "last", label: "Last run", kind: "many", options: stateOptions(RUN_STATES) },
];

const COLUMNS: Column<Job>[] = [
  { id: "name", header: "Job", cell: (job) => <JobLink job={job.name} />, sorts: ["name", "-name"], width: "26%", card: "head" },
  { id: "kind", header: "Kind", cell: (job) => <Tag>{job.kind}</Tag>, width: "90px", card: "head" },
  { id: "description", header: "Description", cell: (job) => job.description.trim().split("\n")[0] },
  {
    id: "schedule",
    header: "Schedule",
    cell: (job) => job.schedules.map((schedule) => schedule.text).join(", ") || <span className="b-dim">–</span>,
    width: "150px",
  },
  {
    id: "recent",
    header: "Last runs",
    cell: (job) =>
      job.recent.slice(0, 8).map((run) => (
        <RunLink key={run.id} run={run.id}>
          <StateBadge state={run.state} compact />
        </RunLink>
      )),
    width: "190px",
  },
  { id: "last", header: "Ran", cell: (job) => <RelativeTime at={job.recent[0]?.created_at} empty="never" />, sorts: ["-last", "last"], width: "100px" },
  { id: "location", header: "Location", cell: (job) => job.location, width: "120px", hidden: true },
];

export function JobsPage() {
  const list = useListState(LIST);
  const query = useInfiniteQuery(jobQueries.list(list.query));
  return (
    <Page title="Jobs">
      <FilterBar list={list} search="Search jobs" filters={FILTERS} table={{ name: "jobs", columns: COLUMNS }} />
      <DataTable
        name="jobs"
        label="Jobs"
        columns={COLUMNS}
        {...tableOf(query)}
        rowKey={(job) => `${job.location}/${job.name}`}
        target={(job) => ({ to: "/jobs/$job", params: { job: job.name }, search: { location: job.location } })}
        sort={list.sort}
        onSort={list.setSort}
        empty={
          list.filtered ? (
            <NothingFound what="jobs" clear={list.clear} />
          ) : (
            <EmptyState title="There are no jobs yet" command="batuta init">
              A job is a flow, a DAG or a selection of assets in one of the files that batuta.toml names.
            </EmptyState>
          )
        }
      />
    </Page>
  );
}
