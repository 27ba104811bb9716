// The page of one schedule, sensor or automation: whether it is on, what comes next, and its ticks with their reasons.
import { Button, Switch } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { tickerQueries, useSwitchTicker, type Tick, type Ticker, type TickerKind } from "@/api/service";
import { capital, durationText } from "@/app/format";
import { useUrlState } from "@/app/search";
import { ConditionTree, isPart } from "@/components/ConditionTree";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { ErrorView } from "@/components/ErrorView";
import { FilterBar, stateOptions, type Filter } from "@/components/FilterBar";
import { JsonView } from "@/components/json";
import { KeyValue } from "@/components/KeyValue";
import { AssetLink, JobLink, LocationLink, RunLink } from "@/components/links";
import { tableOf } from "@/components/list";
import { Markdown } from "@/components/Markdown";
import { Page, Section } from "@/components/Page";
import { PermissionGate } from "@/components/PermissionGate";
import { StateBadge } from "@/components/StateBadge";
import { useListState } from "@/components/table-state";
import { AbsoluteTime, RelativeTime } from "@/components/time";
import classes from "./tickers.module.css";

const LIST = { sort: "-id", filters: { outcome: [] } };
const URL = { tick: "" };
const FILTERS: Filter[] = [{ id: "outcome", label: "Outcome", kind: "many", options: stateOptions(["launched", "skipped", "failed"]) }];
const NEXT = 8;

export function TickerDetail({ kind }: { kind: TickerKind }) {
  const { location = "", name = "" } = useParams({ strict: false });
  const { data, error, refetch } = useQuery(tickerQueries.one(kind, location, name));
  if (error && !data) return <ErrorView error={error} retry={() => void refetch()} />;
  const crumbs = [{ label: `${capital(kind)}s`, to: `/${kind}s` }];
  return (
    <Page
      title={name}
      crumbs={crumbs}
      beside={data && <StateBadge state={data.enabled ? "on" : "off"} />}
      about={data && <>at <LocationLink location={location} />{data.place && <> · <span className="b-mono">{data.place}</span></>}</>}
      actions={data && <OnOff ticker={data} />}
    >
      {data && (
        <div className={classes.columns}>
          <Section>
            <Markdown text={data.description} />
            <KeyValue facts={factsOf(data)} />
          </Section>
          {kind === "schedule" && <Next location={location} name={name} />}
        </div>
      )}
      <Ticks kind={kind} location={location} name={name} />
    </Page>
  );
}

function OnOff({ ticker }: { ticker: Ticker }) {
  const turn = useSwitchTicker();
  return (
    <>
      {ticker.switched && (
        <PermissionGate role="operator" location={ticker.location}>
          <Button variant="subtle" onClick={() => turn.mutate({ ticker, enabled: null })}>
            As defined: {ticker.defined ? "on" : "off"}
          </Button>
        </PermissionGate>
      )}
      <PermissionGate role="operator" location={ticker.location}>
        <Switch size="md" aria-label={`${capital(ticker.kind)} ${ticker.name}`} label={ticker.enabled ? "On" : "Off"} checked={ticker.enabled} onChange={(event) => turn.mutate({ ticker, enabled: event.currentTarget.checked })} />
      </PermissionGate>
    </>
  );
}

function factsOf(ticker: Ticker): [string, React.ReactNode][] {
  const isAsset = ticker.kind === "automation" && !ticker.name.startsWith("job:");
  return [
    ["Starts", ticker.job ? <JobLink job={ticker.job} location={ticker.location} /> : isAsset ? <AssetLink asset={ticker.name} /> : <code>{ticker.selection}</code>],
    ["When", <span key="w">{ticker.timing}{ticker.kind === "schedule" && ` ${ticker.timezone}`}</span>],
    ["Next", ticker.next_at && ticker.enabled && <RelativeTime at={ticker.next_at} />],
    ["Evaluated", <RelativeTime key="t" at={ticker.ticked_at} empty="not yet" />],
    ["Failures in a row", ticker.failures > 0 && <StateBadge state="failed" label={String(ticker.failures)} />],
    ["Remembers", ticker.kind === "sensor" && ticker.cursor && <code>{ticker.cursor.slice(0, 300)}</code>],
  ];
}

function Next({ location, name }: { location: string; name: string }) {
  const { data } = useQuery(tickerQueries.next("schedule", location, name, NEXT));
  return (
    <Section title="Next times">
      {data?.length === 0 && <p className="b-dim">It is not due any more.</p>}
      <ol className={classes.next}>
        {data?.map((each) => (
          <li key={each.at}>
            <AbsoluteTime at={each.at} show="minute" />
            <span className="b-dim">
              <RelativeTime at={each.at} />
            </span>
          </li>
        ))}
      </ol>
    </Section>
  );
}

const COLUMNS: Column<Tick>[] = [
  { id: "outcome", header: "Outcome", cell: (tick) => <StateBadge state={tick.outcome} />, width: "120px", card: "head" },
  { id: "at", header: "At", cell: (tick) => <RelativeTime at={tick.at} />, sorts: ["-id", "id"], width: "110px", card: "head" },
  { id: "logical", header: "About", cell: (tick) => <AbsoluteTime at={tick.logical_at} show="minute" />, width: "150px" },
  { id: "reason", header: "Why", cell: (tick) => <span title={tick.reason}>{tick.reason}</span> },
  { id: "runs", header: "Runs", cell: (tick) => tick.runs.slice(0, 3).map((run) => <span key={run}><RunLink run={run} /> </span>), width: "140px" },
  { id: "took", header: "Took", cell: (tick) => durationText((Date.parse(tick.ended_at) - Date.parse(tick.at)) / 1000), width: "90px", align: "right" },
];

function Ticks({ kind, location, name }: { kind: TickerKind; location: string; name: string }) {
  const list = useListState(LIST);
  const [{ tick: chosen }, set] = useUrlState(URL);
  const query = useInfiniteQuery(tickerQueries.ticks({ ...list.query, kind: [kind], location: [location], name }));
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  const explained = rows.find((tick) => String(tick.id) === chosen);
  const columns: Column<Tick>[] = [...COLUMNS, { id: "details", header: "", cell: (tick) => <Button size="compact-xs" variant="subtle" aria-pressed={String(tick.id) === chosen} onClick={() => set({ tick: String(tick.id) === chosen ? "" : String(tick.id) })}>Details</Button>, width: "90px" }];
  return (
    <>
      <FilterBar list={list} search="Search ticks" filters={FILTERS} table={{ name: "ticks-of", columns: COLUMNS }} />
      {explained && (
        <Section title={`Tick ${explained.id}`}>
          <p>{explained.reason}</p>
          {isPart(explained.data.condition) ? <ConditionTree part={explained.data.condition} /> : <JsonView value={explained.data} label="What it kept" />}
        </Section>
      )}
      <DataTable
        name="ticks-of"
        label={`Ticks of ${name}`}
        columns={columns}
        {...tableOf(query)}
        rowKey={(tick) => String(tick.id)}
        sort={list.sort}
        onSort={list.setSort}
        empty={
          list.filtered ? (
            <NothingFound what="ticks" clear={list.clear} />
          ) : (
            <EmptyState title="It has not ticked yet">Each evaluation stands here, with what it did and why.</EmptyState>
          )
        }
      />
    </>
  );
}
