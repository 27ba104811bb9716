// The versions of an asset's table (Delta Lake, Iceberg): who wrote each, and what stood in it then.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMay } from "@/api/access";
import { assetQueries } from "@/api/assets";
import type { Schema } from "@/api/client";
import { plural } from "@/app/format";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { RunLink } from "@/components/links";
import { Section } from "@/components/Page";
import { RelativeTime } from "@/components/time";

/** What is recorded with a materialization that wrote one: see docs/tables.md. */
export const TABLE_VERSION = "table_version";

const PARTITIONS_SHOWN = 3;

const columnsOf = (asset: string): Column<Schema<"TableVersionShown">>[] => [
  { id: "version", header: "Version", cell: (one) => <span className="b-mono">{one.version}</span>, width: "200px", card: "head" },
  { id: "at", header: "Written", cell: (one) => <RelativeTime at={one.at} />, width: "130px", card: "head" },
  { id: "by", header: "By", cell: (one) => (one.run === null ? one.by : <RunLink run={one.run} />), width: "160px" },
  { id: "operation", header: "What was done", cell: (one) => one.operation.toLowerCase(), width: "150px" },
  { id: "partitions", header: "Partitions", cell: (one) => partitionsText(one.partitions) },
  {
    id: "rows",
    header: "",
    cell: (one) => (
      <Link to="/assets/$key" params={{ key: asset }} search={{ tab: "rows", read: "yes", version: one.version }} className="b-link" aria-label={`Rows of version ${one.version}`}>
        Rows then
      </Link>
    ),
    width: "110px",
  },
];

function partitionsText(partitions: readonly string[]): string {
  const left = partitions.length - PARTITIONS_SHOWN;
  return partitions.slice(0, PARTITIONS_SHOWN).join(", ") + (left > 0 ? ` and ${plural(left, "more", "more")}` : "");
}

export function Versions({ asset, location }: { asset: string; location: string }) {
  const may = useMay("operator", location);
  const { data, error } = useQuery({ ...assetQueries.versions(asset), enabled: may === true });
  if (may !== true) return null;
  return (
    <Section title="Versions of its table" flush>
      <DataTable
        name="versions"
        label={`Versions of ${asset}`}
        columns={columnsOf(asset)}
        rows={data?.items}
        error={error}
        rowKey={(one) => one.version}
        empty={<EmptyState title="No version can be read">Upkeep of the table has removed what was written.</EmptyState>}
      />
    </Section>
  );
}
