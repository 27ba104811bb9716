import { useInfiniteQuery } from "@tanstack/react-query";
import { settingQueries, type AuditEntry } from "@/api/settings";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { FilterBar, type Filter } from "@/components/FilterBar";
import { tableOf } from "@/components/list";
import { Page } from "@/components/Page";
import { RoleOnly } from "@/components/PermissionGate";
import { useListState } from "@/components/table-state";
import { AbsoluteTime } from "@/components/time";

const LIST = { sort: "-id", filters: { actor: "", action: "", kind: "", name: "" } };
const FILTERS: Filter[] = [
  { id: "actor", label: "Who", kind: "text" },
  { id: "action", label: "Did what", kind: "text" },
  { id: "kind", label: "To what kind", kind: "text" },
  { id: "name", label: "To which", kind: "text" },
];

const COLUMNS: Column<AuditEntry>[] = [
  { id: "at", header: "When", cell: (entry) => <AbsoluteTime at={entry.at} />, sorts: ["-id", "id"], width: "220px" },
  { id: "actor", header: "Who", cell: (entry) => entry.actor, width: "160px", card: "head" },
  { id: "action", header: "Did", cell: (entry) => entry.action, width: "120px", card: "head" },
  { id: "what", header: "To", cell: (entry) => `${entry.kind} ${entry.name}`, width: "24%" },
  { id: "data", header: "Details", cell: (entry) => <span className="b-mono">{JSON.stringify(entry.data)}</span> },
];

export function AuditPage() {
  return (
    <RoleOnly role="admin">
      <AuditList />
    </RoleOnly>
  );
}

function AuditList() {
  const list = useListState(LIST);
  const query = useInfiniteQuery(settingQueries.audit(list.query));
  return (
    <Page title="Audit log">
      <FilterBar list={list} search="Search the audit log" filters={FILTERS} table={{ name: "audit", columns: COLUMNS }} />
      <DataTable
        name="audit"
        label="Audit log"
        columns={COLUMNS}
        {...tableOf(query)}
        rowKey={(entry) => String(entry.id)}
        sort={list.sort}
        onSort={list.setSort}
        empty={
          list.filtered ? (
            <NothingFound what="entries" clear={list.clear} />
          ) : (
            <EmptyState title="Nobody has changed anything yet">Whoever launches, switches or sets something is written down here.</EmptyState>
          )
        }
      />
    </Page>
  );
}
