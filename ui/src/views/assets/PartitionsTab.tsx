import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { assetQueries } from "@/api/assets";
import type { Schema } from "@/api/client";
import { countText } from "@/app/format";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { ErrorView } from "@/components/ErrorView";
import { FilterBar, stateOptions, type Filter } from "@/components/FilterBar";
import { RunLink } from "@/components/links";
import { tableOf } from "@/components/list";
import { Section } from "@/components/Page";
import { StateBadge } from "@/components/StateBadge";
import { useListState } from "@/components/table-state";
import { RelativeTime } from "@/components/time";
import { HeatMap } from "./HeatMap";
import { ORDER } from "./heat";
import classes from "./assets.module.css";

const LIST = { sort: "-key", filters: { state: [] } };
const CELLS = 2_000;
const FILTERS: Filter[] = [{ id: "state", label: "State", kind: "many", options: stateOptions(["fresh", "stale", "missing", "failed"]) }];

const COLUMNS: Column<Schema<"Partition">>[] = [
  { id: "key", header: "Partition", cell: (one) => <span className="b-mono">{one.key}</span>, sorts: ["-key", "key"], width: "220px", card: "head" },
  { id: "state", header: "State", cell: (one) => <StateBadge state={one.state} />, width: "110px", card: "head" },
  { id: "checks", header: "Checks", cell: (one) => one.checks_failed > 0 && <StateBadge state="failed" label={`${one.checks_failed} failed`} />, width: "110px" },
  { id: "reasons", header: "Why", cell: (one) => one.reasons.join("; ") },
  { id: "made", header: "Made", cell: (one) => <RelativeTime at={one.materialized_at} empty="never" />, width: "110px" },
  { id: "run", header: "Run", cell: (one) => one.run !== null && <RunLink run={one.run} />, width: "80px" },
];

/** All partitions at a glance, and as a list; a click on a cell shows those that it stands for. */
export function PartitionsTab({ asset, text }: { asset: string; text: string }) {
  const list = useListState(LIST);
  const map = useQuery(assetQueries.partitionMap(asset, CELLS));
  const query = useInfiniteQuery(assetQueries.partitions(asset, list.query));
  if (map.error && !map.data) return <ErrorView error={map.error} retry={() => void map.refetch()} />;
  const pick = (cell: Schema<"PartitionCell">) => list.setText(cell.count === 1 ? cell.first : common(cell.first, cell.last));
  return (
    <>
      {map.data && map.data.total > 0 && (
        <Section
          title={`${countText(map.data.total)} partitions, ${text}`}
          actions={
            <span className={classes.list}>
              {ORDER.filter((state) => map.data.counts[state]).map((state) => (
                <StateBadge key={state} state={state} label={`${countText(map.data.counts[state] ?? 0)} ${state}`} />
              ))}
            </span>
          }
        >
          {map.data.cells.map((cells, row) => (
            <div key={map.data.rows[row] ?? row}>
              {map.data.rows[row] && <div className={classes.rowName}>{map.data.rows[row]}</div>}
              <HeatMap cells={cells} label={`Partitions ${map.data.rows[row] ?? ""}`.trim()} onPick={pick} />
            </div>
          ))}
        </Section>
      )}
      <FilterBar list={list} search="Search partitions" filters={FILTERS} table={{ name: "partitions", columns: COLUMNS }} />
      <DataTable
        name="partitions"
        label="Partitions"
        columns={COLUMNS}
        {...tableOf(query)}
        rowKey={(one) => one.key}
        sort={list.sort}
        onSort={list.setSort}
        empty={
          list.filtered ? (
            <NothingFound what="partitions" clear={list.clear} />
          ) : (
            <EmptyState title="There are no partitions yet">They come with time, or are added as they become known.</EmptyState>
          )
        }
      />
    </>
  );
}

/** What two keys begin with: what to search for to see all between them. */
function common(first: string, last: string): string {
  let length = 0;
  while (length < first.length && first[length] === last[length]) length += 1;
  return first.slice(0, length);
}
