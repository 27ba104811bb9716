import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { lazy, Suspense } from "react";
import { backfillQueries, type Backfill } from "@/api/service";
import { useUrlState } from "@/app/search";
import { useShortcut } from "@/app/shortcuts";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { FilterBar, stateOptions, type Filter } from "@/components/FilterBar";
import { tableOf } from "@/components/list";
import { Page } from "@/components/Page";
import { PermissionGate } from "@/components/PermissionGate";
import { StateBadge } from "@/components/StateBadge";
import { useListState } from "@/components/table-state";
import { RelativeTime } from "@/components/time";
import { Progress } from "./BackfillPage";

const NewBackfill = lazy(() => import("./NewBackfill"));
/** `new`: the form is open; with what it begins. */
const URL = { new: "", selection: "", forJob: "" };

const LIST = { sort: "-id", filters: { state: [], job: "" } };
const FILTERS: Filter[] = [
  { id: "state", label: "State", kind: "many", options: stateOptions(["running", "paused", "cancelling", "succeeded", "failed", "cancelled"]) },
  { id: "job", label: "Job", kind: "text" },
];

const COLUMNS: Column<Backfill>[] = [
  {
    id: "id",
    header: "Backfill",
    cell: (backfill) => (
      <Link to="/backfills/$backfill" params={{ backfill: String(backfill.id) }} className="b-link">
        #{backfill.id}
      </Link>
    ),
    width: "90px",
    card: "head",
  },
  { id: "state", header: "State", cell: (backfill) => <StateBadge state={backfill.state} />, width: "136px", card: "head" },
  { id: "what", header: "What", cell: (backfill) => backfill.job || backfill.selection },
  { id: "progress", header: "Progress", cell: (backfill) => <Progress counts={backfill.counts} compact />, width: "200px" },
  { id: "created", header: "Created", cell: (backfill) => <RelativeTime at={backfill.created_at} />, sorts: ["-id", "id"], width: "110px" },
];

export function BackfillsPage() {
  const list = useListState(LIST);
  const query = useInfiniteQuery(backfillQueries.list(list.query));
  const [url, set] = useUrlState(URL);
  const open = () => set({ new: "yes" }, { push: true });
  useShortcut("n", "New backfill", open);
  return (
    <Page
      title="Backfills"
      actions={
        <PermissionGate role="operator" location="?">
          <Button leftSection={<Plus size={15} aria-hidden />} onClick={open}>
            New backfill
          </Button>
        </PermissionGate>
      }
    >
      {url.new && (
        <Suspense>
          <NewBackfill selection={url.selection} job={url.forJob} onClose={() => set({ new: "", selection: "", forJob: "" })} />
        </Suspense>
      )}
      <FilterBar list={list} search="Search backfills" filters={FILTERS} table={{ name: "backfills", columns: COLUMNS }} />
      <DataTable
        name="backfills"
        label="Backfills"
        columns={COLUMNS}
        {...tableOf(query)}
        rowKey={(backfill) => String(backfill.id)}
        sort={list.sort}
        onSort={list.setSort}
        target={(backfill) => ({ to: "/backfills/$backfill", params: { backfill: String(backfill.id) } })}
        empty={
          list.filtered ? (
            <NothingFound what="backfills" clear={list.clear} />
          ) : (
            <EmptyState title="There was no backfill yet" command="batuta backfills launch ASSET --partitions 2025-01..2025-03">
              A backfill makes many partitions at once, or runs a job for many times past.
            </EmptyState>
          )
        }
      />
    </Page>
  );
}
