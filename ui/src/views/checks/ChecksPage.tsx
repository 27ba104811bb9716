import { useInfiniteQuery } from "@tanstack/react-query";
import { checkQueries, type Check } from "@/api/assets";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { FilterBar, type Filter } from "@/components/FilterBar";
import { AssetLink } from "@/components/links";
import { tableOf } from "@/components/list";
import { Page } from "@/components/Page";
import { LayerTag, StateBadge } from "@/components/StateBadge";
import { useListState } from "@/components/table-state";
import { RelativeTime } from "@/components/time";
import { Quality } from "./Quality";

const LIST = { sort: "asset", filters: { passed: "", layer: [], blocking: "", asset: [] } };
const FILTERS: Filter[] = [
  { id: "passed", label: "Verdict", kind: "one", options: [{ value: "true", label: "Passed" }, { value: "false", label: "Failed" }] },
  { id: "layer", label: "Layer", kind: "many", options: ["bronze", "silver", "gold"].map((value) => ({ value })) },
  { id: "blocking", label: "Blocking", kind: "one", options: [{ value: "true", label: "Blocking" }, { value: "false", label: "Warning" }] },
];

const COLUMNS: Column<Check>[] = [
  {
    id: "passed",
    header: "Verdict",
    cell: (check) => <StateBadge state={check.passed === null ? "pending" : check.passed ? "passed" : check.blocking ? "failed" : "warning"} />,
    width: "110px",
    card: "head",
  },
  { id: "name", header: "Check", cell: (check) => check.name, width: "20%", card: "head" },
  { id: "asset", header: "Asset", cell: (check) => <AssetLink asset={check.asset} />, sorts: ["asset", "-asset"], width: "22%" },
  { id: "layer", header: "Layer", cell: (check) => <LayerTag layer={check.layer} />, width: "90px" },
  { id: "said", header: "Says", cell: (check) => check.said || check.description },
  { id: "at", header: "At", cell: (check) => <RelativeTime at={check.at} empty="never" />, sorts: ["-at", "at"], width: "100px" },
];

export function ChecksPage() {
  const list = useListState(LIST);
  const query = useInfiniteQuery(checkQueries.list(list.query));
  return (
    <Page title="Checks">
      <Quality />
      <FilterBar list={list} search="Search checks" filters={FILTERS} table={{ name: "checks", columns: COLUMNS }} />
      <DataTable
        name="checks"
        label="Checks"
        columns={COLUMNS}
        {...tableOf(query)}
        target={(check) => ({ to: "/assets/$key", params: { key: check.asset }, search: { tab: "checks", check: check.name } })}
        rowKey={(check) => `${check.asset}:${check.name}`}
        sort={list.sort}
        onSort={list.setSort}
        empty={
          list.filtered ? (
            <NothingFound what="checks" clear={list.clear} />
          ) : (
            <EmptyState title="There are no checks yet">A check asserts something about an asset: write one with @check.</EmptyState>
          )
        }
      />
    </Page>
  );
}
