// All runs, newest first: found, filtered, and many cancelled or retried at once.
import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Ban, RotateCw } from "lucide-react";
import { useMemo, useState } from "react";
import { jobQueries } from "@/api/jobs";
import { itemsOf } from "@/api/pages";
import { runQueries, type Run } from "@/api/runs";
import { serviceQueries } from "@/api/service";
import { partitionsText, plural } from "@/app/format";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { FilterBar, stateOptions, type Filter } from "@/components/FilterBar";
import { JobLink, LocationLink, RunLink } from "@/components/links";
import { tableOf } from "@/components/list";
import { Page } from "@/components/Page";
import { PermissionGate } from "@/components/PermissionGate";
import { StateBadge, Tag } from "@/components/StateBadge";
import { useListState } from "@/components/table-state";
import { Duration, RelativeTime } from "@/components/time";
import { RUN_FINAL, RUN_STATES } from "@/design/states";
import { useMany } from "./many";
import { StartedBy } from "./RunFacts";
import classes from "./RunsPage.module.css";

const LIST = {
  sort: "-id",
  filters: {
    state: [],
    job: [],
    kind: [],
    trigger: [],
    location: [],
    origin: "",
    tag: "",
    partition: "",
    environment: "",
    within: "",
    roots: "",
  },
};
const HOURS: Record<string, number> = { "1h": 1, "24h": 24, "7d": 168, "30d": 720 };
const SINCE: Filter = {
  id: "within",
  label: "Asked for",
  kind: "one",
  options: [
    { value: "1h", label: "in the last hour" },
    { value: "24h", label: "in the last day" },
    { value: "7d", label: "in the last week" },
    { value: "30d", label: "in the last month" },
  ],
};
const TRIGGERS = ["manual", "api", "script", "schedule", "sensor", "automation", "backfill", "parent"];
const EVERY = { limit: 1000 };

const COLUMNS: Column<Run>[] = [
  {
    id: "id",
    header: "Run",
    cell: (run) => <RunLink run={run.id} />,
    sorts: ["-id", "id"],
    width: "84px",
    card: "head",
  },
  { id: "state", header: "State", cell: (run) => <StateBadge state={run.state} />, width: "136px", card: "head" },
  { id: "job", header: "Job", cell: (run) => <JobLink job={run.job} location={run.location} />, card: "head" },
  { id: "kind", header: "Kind", cell: (run) => run.kind, width: "76px", hidden: true },
  {
    id: "partition",
    header: "Partition",
    cell: (run) => <span title={run.partition}>{partitionsText(run.partition) || <span className="b-dim">–</span>}</span>,
    width: "190px",
  },
  { id: "trigger", header: "Started by", cell: (run) => <StartedBy run={run} />, width: "190px" },
  {
    id: "location",
    header: "Location",
    cell: (run) => <LocationLink location={run.location} />,
    width: "120px",
    hidden: true,
  },
  {
    id: "environment",
    header: "Environment",
    cell: (run) => run.environment || <span className="b-dim">–</span>,
    width: "120px",
    hidden: true,
  },
  { id: "tags", header: "Tags", cell: (run) => <Tags tags={run.tags} />, width: "160px", hidden: true },
  { id: "created", header: "Asked for", cell: (run) => <RelativeTime at={run.created_at} />, width: "110px" },
  {
    id: "duration",
    header: "Duration",
    cell: (run) => <Duration seconds={run.duration_s} since={run.state === "queued" ? null : run.started_at} />,
    width: "100px",
    align: "right",
  },
  {
    id: "error",
    header: "Error",
    cell: (run) =>
      run.error ? (
        <span className={classes.error} title={run.error}>
          {run.error}
        </span>
      ) : (
        ""
      ),
  },
];

function Tags({ tags }: { tags: Run["tags"] }) {
  return Object.entries(tags).map(([name, value]) => <Tag key={name}>{value ? `${name}=${value}` : name}</Tag>);
}

export function RunsPage() {
  const list = useListState(LIST);
  const query = useInfiniteQuery(runQueries.list(useQueryOf(list.query)));
  const filters = useFilters();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const rows = itemsOf(query.data);
  const selected = rows.filter((run) => chosen.has(String(run.id)));
  return (
    <Page title="Runs">
      <FilterBar list={list} search="Search runs" filters={filters} table={{ name: "runs", columns: COLUMNS }}>
        <Many runs={selected} done={() => setChosen(new Set())} />
      </FilterBar>
      <DataTable
        name="runs"
        label="Runs"
        columns={COLUMNS}
        {...tableOf(query)}
        rowKey={(run) => String(run.id)}
        target={(run) => ({ to: "/runs/$run", params: { run: String(run.id) } })}
        sort={list.sort}
        onSort={list.setSort}
        selected={chosen}
        onSelect={setChosen}
        empty={
          list.filtered ? (
            <NothingFound what="runs" clear={list.clear} />
          ) : (
            <EmptyState title="Nothing has run yet" command="batuta run JOB">
              Launch a job from its page, or from a terminal; what a script runs is recorded, too.
            </EmptyState>
          )
        }
      />
    </Page>
  );
}

/** What the API is asked for: `within` is no filter of its own, but a time. */
function useQueryOf({ within, ...query }: Record<string, unknown>) {
  const since = useMemo(() => {
    const hours = HOURS[String(within ?? "")];
    return hours === undefined
      ? undefined
      : new Date(Math.floor(Date.now() / 60_000) * 60_000 - hours * 3_600_000).toISOString();
  }, [within]);
  return { ...query, ...(since === undefined ? {} : { since }) };
}

function useFilters(): Filter[] {
  const jobs = useInfiniteQuery(jobQueries.list(EVERY));
  const locations = useQuery(serviceQueries.locations());
  return useMemo(() => {
    const names = [...new Set(itemsOf(jobs.data).map((job) => job.name))].sort();
    const places = (locations.data ?? []).map((location) => location.name);
    return [
      { id: "state", label: "State", kind: "many", options: stateOptions(RUN_STATES) },
      {
        id: "job",
        label: "Job",
        kind: "many",
        options: ["materialize", ...names.filter((name) => name !== "materialize")].map((value) => ({ value })),
      },
      {
        id: "kind",
        label: "Kind",
        kind: "many",
        options: ["flow", "dag", "assets", "task"].map((value) => ({ value })),
      },
      { id: "trigger", label: "Started by", kind: "many", options: TRIGGERS.map((value) => ({ value })) },
      ...(places.length > 1
        ? [
            {
              id: "location",
              label: "Location",
              kind: "many",
              options: places.map((value) => ({ value })),
            } satisfies Filter,
          ]
        : []),
      SINCE,
      { id: "tag", label: "Tag", kind: "text", placeholder: "Tag: key=value", width: 130 },
      { id: "partition", label: "Partition", kind: "text", width: 110 },
      { id: "environment", label: "Environment", kind: "text", width: 120 },
      { id: "roots", label: "Without children", kind: "toggle" },
    ];
  }, [jobs.data, locations.data]);
}

/** What may be done with the runs that are chosen. */
function Many({ runs, done }: { runs: readonly Run[]; done(): void }) {
  const [asking, setAsking] = useState(false);
  const cancel = useMany("cancel", done);
  const retry = useMany("retry", done);
  if (runs.length === 0) return null;
  const going = runs.filter((run) => !RUN_FINAL.has(run.state));
  const failed = runs.filter((run) => run.state === "failed" || run.state === "cancelled");
  return (
    <>
      <span className={classes.chosen} role="status">
        {plural(runs.length, "run")} chosen
      </span>
      <PermissionGate role="operator" location="?">
        <Button
          variant="default"
          leftSection={<RotateCw size={14} />}
          disabled={failed.length === 0}
          loading={retry.isPending}
          onClick={() => retry.mutate(failed.map((run) => run.id))}
        >
          Retry {failed.length || ""}
        </Button>
      </PermissionGate>
      <PermissionGate role="operator" location="?">
        <Button
          variant="default"
          leftSection={<Ban size={14} />}
          disabled={going.length === 0}
          onClick={() => setAsking(true)}
        >
          Cancel {going.length || ""}
        </Button>
      </PermissionGate>
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={`Cancel ${plural(going.length, "run")}?`}
        confirm={`Cancel ${plural(going.length, "run")}`}
        danger
        onConfirm={() => cancel.mutateAsync(going.map((run) => run.id))}
      >
        What is running is asked to end; what has not begun does not begin.
      </ConfirmDialog>
    </>
  );
}
