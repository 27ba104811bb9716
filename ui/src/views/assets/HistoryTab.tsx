import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { assetQueries } from "@/api/assets";
import type { Schema } from "@/api/client";
import { countText } from "@/app/format";
import { Chart } from "@/components/Chart";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { RunLink } from "@/components/links";
import { tableOf } from "@/components/list";
import { Section } from "@/components/Page";
import { RelativeTime } from "@/components/time";
import { TABLE_VERSION, Versions } from "./Versions";
import classes from "./assets.module.css";

const COLUMNS: Column<Schema<"Materialization">>[] = [
  { id: "at", header: "Made", cell: (one) => <RelativeTime at={one.at} />, width: "120px", card: "head" },
  { id: "partition", header: "Partition", cell: (one) => <span className="b-mono">{one.partition}</span>, width: "160px", card: "head" },
  { id: "run", header: "Run", cell: (one) => <RunLink run={one.run} />, width: "90px" },
  { id: "rows", header: "Rows", cell: (one) => (one.rows === null ? "" : countText(one.rows)), width: "110px", align: "right" },
  { id: "numbers", header: "Reported", cell: (one) => numbersOf(one.metadata) },
  { id: "version", header: "Data version", cell: (one) => <span className="b-mono">{one.data_version.slice(0, 12)}</span>, width: "130px" },
];

function numbersOf(metadata: Record<string, unknown>): string {
  const numbers = Object.entries(metadata).filter(([name, value]) => typeof value === "number" && name !== "rows" && name !== TABLE_VERSION);
  return numbers.map(([name, value]) => `${name} ${countText(value as number)}`).join(", ");
}

/** What was reported of it over time, and every time that it was made. */
export function HistoryTab({ asset, location }: { asset: string; location: string }) {
  const series = useQuery(assetQueries.series(asset, { limit: 500 }));
  const query = useInfiniteQuery(assetQueries.materializations(asset));
  const hasVersions = query.data?.pages[0]?.items.some((one) => TABLE_VERSION in one.metadata) ?? false;
  const plotted = Object.entries(series.data?.series ?? {}).filter(([, points]) => points.length > 1);
  return (
    <>
      {plotted.length > 0 && (
        <div className={classes.charts}>
          {plotted.map(([name, points]) => (
            <Section key={name} title={name}>
              <Plot name={name} points={points} />
            </Section>
          ))}
        </div>
      )}
      {hasVersions && <Versions asset={asset} location={location} />}
      <DataTable
        name="materializations"
        label="Materializations"
        columns={COLUMNS}
        {...tableOf(query)}
        rowKey={(one) => String(one.id)}
        empty={<EmptyState title="It was never made" command={`batuta materialize ${asset}`}>Each time that it is made is shown here, with what was reported of it.</EmptyState>}
      />
    </>
  );
}

function Plot({ name, points }: { name: string; points: Schema<"SeriesPoint">[] }) {
  const navigate = useNavigate();
  const x = useMemo(() => points.map((point, i) => (partitionTime(points, i) ?? Date.parse(point.at)) / 1000), [points]);
  const order = useMemo(() => x.map((_, i) => i).sort((a, b) => (x[a] ?? 0) - (x[b] ?? 0)), [x]);
  const sorted = useMemo(() => order.map((i) => x[i] ?? 0), [order, x]);
  const drawn = useMemo(() => [{ label: name, color: "var(--b-accent)", values: order.map((i) => points[i]?.value ?? null), fill: true }], [name, order, points]);
  const open = (at: number) => {
    const run = points[order[at] ?? -1]?.run;
    if (run !== undefined) void navigate({ to: "/runs/$run", params: { run: String(run) } });
  };
  return <Chart label={`${name} over time`} x={sorted} series={drawn} height={140} format={(value) => countText(value, true)} onPick={open} />;
}

/** Partitions by day are plotted by their day; all else by when it was made. */
function partitionTime(points: Schema<"SeriesPoint">[], i: number): number | undefined {
  const found = points.every((point) => /^\d{4}-\d{2}-\d{2}/.test(point.partition)) ? Date.parse(points[i]?.partition.slice(0, 10) ?? "") : NaN;
  return Number.isNaN(found) ? undefined : found;
}
