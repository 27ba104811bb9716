// The list of schedules, of sensors and of automations: the same, for one kind.
import { Switch } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { tickerQueries, useSwitchTicker, type Ticker, type TickerKind } from "@/api/service";
import { capital } from "@/app/format";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { FilterBar, type Filter } from "@/components/FilterBar";
import { JobLink, TickerLink } from "@/components/links";
import { tableOf } from "@/components/list";
import { Page } from "@/components/Page";
import { PermissionGate } from "@/components/PermissionGate";
import { StateBadge } from "@/components/StateBadge";
import { useListState } from "@/components/table-state";
import { RelativeTime } from "@/components/time";

const LIST = { sort: "name", filters: { enabled: "", failing: "", location: [] } };
const FILTERS: Filter[] = [
  { id: "enabled", label: "On or off", kind: "one", options: [{ value: "true", label: "On" }, { value: "false", label: "Off" }] },
  { id: "failing", label: "Fails", kind: "toggle" },
];

const COLUMNS: Column<Ticker>[] = [
  { id: "on", header: "On", cell: (ticker) => <OnSwitch ticker={ticker} />, width: "70px", card: "head" },
  { id: "name", header: "Name", cell: (ticker) => <TickerLink ticker={ticker} />, sorts: ["name", "-name"], width: "24%", card: "head" },
  { id: "timing", header: "When", cell: (ticker) => <span className="b-mono">{ticker.timing}</span>, width: "170px" },
  { id: "what", header: "Starts", cell: (ticker) => (ticker.job ? <JobLink job={ticker.job} /> : ticker.selection) },
  { id: "next", header: "Next", cell: (ticker) => <RelativeTime at={ticker.next_at} />, sorts: ["next", "-next"], width: "100px" },
  { id: "last", header: "Last tick", cell: (ticker) => (ticker.last ? <StateBadge state={ticker.last.outcome} /> : <span className="b-dim">–</span>), width: "130px" },
  { id: "ticked", header: "Evaluated", cell: (ticker) => <RelativeTime at={ticker.ticked_at} empty="never" />, width: "110px" },
  { id: "location", header: "Location", cell: (ticker) => ticker.location, width: "120px", hidden: true },
];

export function OnSwitch({ ticker }: { ticker: Ticker }) {
  const change = useSwitchTicker();
  return (
    <PermissionGate role="operator" location={ticker.location}>
      <Switch
        size="xs"
        checked={ticker.enabled}
        disabled={change.isPending}
        aria-label={`${ticker.name} is ${ticker.enabled ? "on" : "off"}`}
        onChange={(event) => change.mutate({ ticker, enabled: event.currentTarget.checked })}
      />
    </PermissionGate>
  );
}

const EMPTY: Record<TickerKind, string> = {
  schedule: "A schedule starts a job by the clock: schedule(job, \"0 3 * * *\").",
  sensor: "A sensor looks at the outside, and starts runs when it finds something: @sensor.",
  automation: "An automation makes assets when a condition over them holds: @asset(automation=...).",
};

export function TickerList({ kind }: { kind: TickerKind }) {
  const list = useListState(LIST);
  const query = useInfiniteQuery(tickerQueries.list({ kind: [kind], ...list.query }));
  return (
    <Page title={`${capital(kind)}s`}>
      <FilterBar list={list} search={`Search ${kind}s`} filters={FILTERS} table={{ name: `${kind}s`, columns: COLUMNS }} />
      <DataTable
        name={`${kind}s`}
        label={`${capital(kind)}s`}
        columns={COLUMNS}
        {...tableOf(query)}
        rowKey={(ticker) => `${ticker.location}/${ticker.name}`}
        target={(ticker) => ({ to: `/${kind}s/$location/$name`, params: { location: ticker.location, name: ticker.name } })}
        sort={list.sort}
        onSort={list.setSort}
        empty={
          list.filtered ? (
            <NothingFound what={`${kind}s`} clear={list.clear} />
          ) : (
            <EmptyState title={`There are no ${kind}s`}>{EMPTY[kind]}</EmptyState>
          )
        }
      />
    </Page>
  );
}
