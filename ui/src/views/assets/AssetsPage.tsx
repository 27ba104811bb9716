import { useInfiniteQuery } from "@tanstack/react-query";
import { assetQueries, type Asset } from "@/api/assets";
import { countText } from "@/app/format";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { FilterBar, stateOptions, type Filter } from "@/components/FilterBar";
import { AssetLink } from "@/components/links";
import { tableOf } from "@/components/list";
import { Page } from "@/components/Page";
import { LayerTag, StateBadge } from "@/components/StateBadge";
import { useListState } from "@/components/table-state";
import { RelativeTime } from "@/components/time";
import { ASSET_STATES } from "@/design/states";

const LIST = {
  sort: "key",
  filters: { selection: "", state: [], layer: [], group: [], kind: [], owner: [], location: [], tag: [], failing: "" },
};

const FILTERS: Filter[] = [
  { id: "state", label: "State", kind: "many", options: stateOptions(ASSET_STATES) },
  { id: "layer", label: "Layer", kind: "many", options: ["bronze", "silver", "gold"].map((value) => ({ value })) },
  { id: "failing", label: "Checks fail", kind: "toggle" },
  { id: "selection", label: "Selection", kind: "text", placeholder: "Selection: gold.*+", width: 180 },
];

const COLUMNS: Column<Asset>[] = [
  { id: "key", header: "Asset", cell: (asset) => <AssetLink asset={asset.key} />, sorts: ["key", "-key"], width: "24%", card: "head" },
  { id: "layer", header: "Layer", cell: (asset) => <LayerTag layer={asset.layer} />, sorts: ["layer", "-layer"], width: "90px", card: "head" },
  { id: "state", header: "State", cell: (asset) => <StateBadge state={asset.state} />, sorts: ["state", "-state"], width: "110px", card: "head" },
  { id: "description", header: "Description", cell: (asset) => asset.description.trim().split("\n")[0] },
  { id: "partitions", header: "Partitions", cell: (asset) => (asset.partitions === null ? "" : countText(asset.partitions)), width: "90px", align: "right" },
  {
    id: "checks",
    header: "Checks",
    cell: (asset) => (asset.checks ? <StateBadge state={asset.checks_failed ? "failed" : "passed"} label={`${asset.checks_passed}/${asset.checks}`} /> : ""),
    width: "90px",
  },
  { id: "made", header: "Made", cell: (asset) => <RelativeTime at={asset.materialized_at} empty="never" />, sorts: ["-materialized", "materialized"], width: "100px" },
  { id: "owners", header: "Owners", cell: (asset) => asset.owners.join(", "), width: "140px", hidden: true },
  { id: "group", header: "Group", cell: (asset) => asset.group, width: "120px", hidden: true },
  { id: "location", header: "Location", cell: (asset) => asset.location, width: "120px", hidden: true },
];

export function AssetsPage() {
  const list = useListState(LIST);
  const query = useInfiniteQuery(assetQueries.list(list.query));
  return (
    <Page title="Catalog">
      <FilterBar list={list} search="Search assets" filters={FILTERS} table={{ name: "assets", columns: COLUMNS }} />
      <DataTable
        name="assets"
        label="Assets"
        columns={COLUMNS}
        {...tableOf(query)}
        rowKey={(asset) => asset.key}
        target={(asset) => ({ to: "/assets/$key", params: { key: asset.key } })}
        sort={list.sort}
        onSort={list.setSort}
        empty={
          list.filtered ? (
            <NothingFound what="assets" clear={list.clear} />
          ) : (
            <EmptyState title="There are no assets yet" command="batuta list assets">
              An asset is a table, file or model with the function that makes it: write one with @asset.
            </EmptyState>
          )
        }
      />
    </Page>
  );
}
