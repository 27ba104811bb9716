import { useInfiniteQuery } from "@tanstack/react-query";
import { tickerQueries, type Tick, type TickerKind } from "@/api/service";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { FilterBar, stateOptions, type Filter } from "@/components/FilterBar";
import { RunLink, TickerLink } from "@/components/links";
import { tableOf } from "@/components/list";
import { Page } from "@/components/Page";
import { StateBadge } from "@/components/StateBadge";
import { useListState } from "@/components/table-state";
import { RelativeTime } from "@/components/time";

const LIST = { sort: "-id", filters: { kind: [], outcome: [], name: "", location: [] } };
const FILTERS: Filter[] = [
  { id: "kind", label: "Kind", kind: "many", options: ["schedule", "sensor", "automation"].map((value) => ({ value })) },
  { id: "outcome", label: "Outcome", kind: "many", options: stateOptions(["launched", "skipped", "failed"]) },
  { id: "name", label: "Name", kind: "text" },
];

const COLUMNS: Column<Tick>[] = [
  { id: "outcome", header: "Outcome", cell: (tick) => <StateBadge state={tick.outcome} />, width: "120px", card: "head" },
  { id: "name", header: "Of", cell: (tick) => <TickerLink ticker={{ ...tick, kind: tick.kind as TickerKind }} />, width: "22%", card: "head" },
  { id: "kind", header: "Kind", cell: (tick) => tick.kind, width: "100px" },
  { id: "reason", header: "Why", cell: (tick) => <span title={tick.reason}>{tick.reason}</span> },
  { id: "runs", header: "Runs", cell: (tick) => tick.runs.slice(0, 3).map((run) => <span key={run}><RunLink run={run} /> </span>), width: "140px" },
  { id: "at", header: "At", cell: (tick) => <RelativeTime at={tick.at} />, sorts: ["-id", "id"], width: "100px" },
];

export function TicksPage() {
  const list = useListState(LIST);
  const query = useInfiniteQuery(tickerQueries.ticks(list.query));
  return (
    <Page title="Ticks">
      <FilterBar list={list} search="Search ticks" filters={FILTERS} table={{ name: "ticks", columns: COLUMNS }} />
      <DataTable
        name="ticks"
        label="Ticks"
        columns={COLUMNS}
        {...tableOf(query)}
        rowKey={(tick) => String(tick.id)}
        sort={list.sort}
        onSort={list.setSort}
        empty={
          list.filtered ? (
            <NothingFound what="ticks" clear={list.clear} />
          ) : (
            <EmptyState title="Nothing has ticked yet" command="batuta up">
              Each evaluation of a schedule, sensor or automation stands here, with what it did and why.
            </EmptyState>
          )
        }
      />
    </Page>
  );
}
