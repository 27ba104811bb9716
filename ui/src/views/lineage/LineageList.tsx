// The lineage as a list: for those who would rather read, sort and tick than look at a graph.
import { Link } from "@tanstack/react-router";
import { AssetLink, JobLink } from "@/components/links";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { LayerTag, StateBadge } from "@/components/StateBadge";
import { RelativeTime } from "@/components/time";
import { ELSEWHERE, type Lineage, type LineageNode } from "./lineage";

const COLUMNS: Column<LineageNode>[] = [
  {
    id: "label",
    header: "Name",
    cell: (node) =>
      node.kind === "asset" ? (
        <AssetLink asset={node.id}>{node.label}</AssetLink>
      ) : ELSEWHERE.has(node.kind) ? (
        <Link to="/lineage" search={{ at: [node.id] }} className="b-link">
          {node.kind === "job" ? node.job : node.id}
        </Link>
      ) : (
        <JobLink job={node.job}>{node.id}</JobLink>
      ),
    card: "head",
  },
  {
    id: "state",
    header: "State",
    cell: (node) => (node.state ? <StateBadge state={node.state} /> : node.kind),
    width: "130px",
    card: "head",
  },
  { id: "layer", header: "Layer", cell: (node) => <LayerTag layer={node.layer} />, width: "100px" },
  { id: "group", header: "Group", cell: (node) => node.group, width: "120px" },
  { id: "location", header: "Location", cell: (node) => node.location, width: "120px", hidden: true },
  { id: "kinds", header: "Kind", cell: (node) => node.kinds.join(", ") || node.kind, width: "120px" },
  {
    id: "partitions",
    header: "Partitions",
    cell: (node) => (node.partitions === null ? "" : `${node.counts.fresh ?? 0} / ${node.partitions}`),
    width: "110px",
    align: "right",
  },
  {
    id: "checks",
    header: "Checks",
    cell: (node) =>
      node.checks === 0 ? "" : node.checks_failed > 0 ? `${node.checks_failed} of ${node.checks} failed` : node.checks,
    width: "110px",
    align: "right",
  },
  {
    id: "made",
    header: "Made",
    cell: (node) => <RelativeTime at={node.materialized_at === null ? null : node.materialized_at * 1000} />,
    width: "110px",
  },
];

export function LineageList({
  lineage,
  selected,
  onSelect,
}: {
  lineage: Lineage;
  selected: readonly string[];
  onSelect(ids: string[]): void;
}) {
  return (
    <DataTable
      name="lineage"
      label="Lineage"
      columns={COLUMNS}
      rows={lineage.nodes}
      rowKey={(node) => node.id}
      selected={new Set(selected)}
      onSelect={(keys) => onSelect([...keys])}
      empty={<EmptyState title="Nothing fits">No asset is what was looked for.</EmptyState>}
    />
  );
}
