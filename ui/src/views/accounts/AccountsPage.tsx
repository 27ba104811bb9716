// Who may use this installation: users, services, their roles. For admins.
import { Button, Group } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Plus, Users } from "lucide-react";
import { useState } from "react";
import { accessQueries, useDeleteAccount, type Account } from "@/api/access";
import { itemsOf } from "@/api/pages";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { FilterBar, type Filter } from "@/components/FilterBar";
import { tableOf } from "@/components/list";
import { Page } from "@/components/Page";
import { RoleOnly } from "@/components/PermissionGate";
import { rolesText } from "@/components/RolesField";
import { StateBadge, Tag } from "@/components/StateBadge";
import { useListState } from "@/components/table-state";
import { RelativeTime } from "@/components/time";
import { AccountForm } from "./AccountForm";

const LIST = { sort: "name", filters: { kind: [] } };
const FILTERS: Filter[] = [{ id: "kind", label: "Kind", kind: "many", options: ["user", "service"].map((value) => ({ value })) }];

const COLUMNS: Column<Account>[] = [
  { id: "name", header: "Account", cell: (account) => account.name, sorts: ["name", "-name"], width: "20%", card: "head" },
  { id: "kind", header: "Kind", cell: (account) => <Tag>{account.kind}</Tag>, sorts: ["kind", "-kind"], width: "90px", card: "head" },
  {
    id: "state",
    header: "State",
    cell: (account) => <StateBadge state={account.disabled ? "disabled" : "ok"} label={account.disabled ? undefined : "In use"} />,
    width: "110px",
    card: "head",
  },
  { id: "title", header: "Who or what", cell: (account) => account.title, width: "20%" },
  { id: "roles", header: "May", cell: (account) => rolesText(account.roles) || <span className="b-dim">nothing</span> },
  { id: "login", header: "Logs in", cell: (account) => (account.kind === "service" ? "with tokens" : account.elsewhere ? "elsewhere (OIDC)" : "with a password"), width: "130px" },
  { id: "changed", header: "Changed", cell: (account) => <RelativeTime at={account.changed_at} />, sorts: ["-changed", "changed"], width: "100px" },
  { id: "by", header: "By", cell: (account) => account.changed_by, width: "110px", hidden: true },
  { id: "actions", header: "", cell: (account) => <Actions account={account} />, width: "150px", align: "right" },
];

export function AccountsPage() {
  return (
    <RoleOnly role="admin">
      <Accounts />
    </RoleOnly>
  );
}

function Accounts() {
  const [making, setMaking] = useState(false);
  const list = useListState(LIST);
  const query = useInfiniteQuery(accessQueries.accounts(list.query));
  const first = !list.filtered && query.data !== undefined && itemsOf(query.data).length === 0;
  return (
    <Page
      title="Accounts"
      about="Who may use this installation, and what they may do."
      actions={
        query.data &&
        !first && (
          <Button leftSection={<Plus size={14} />} onClick={() => setMaking(true)}>
            New account
          </Button>
        )
      }
    >
      {!first && <FilterBar list={list} search="Search accounts" filters={FILTERS} table={{ name: "accounts", columns: COLUMNS }} />}
      <DataTable
        name="accounts"
        label="Accounts"
        columns={COLUMNS}
        {...tableOf(query)}
        rowKey={(account) => account.name}
        sort={list.sort}
        onSort={list.setSort}
        empty={
          list.filtered ? (
            <NothingFound what="accounts" clear={list.clear} />
          ) : (
            <EmptyState
              icon={Users}
              title="There are no accounts"
              command="batuta accounts add NAME --role admin"
              action={<Button onClick={() => setMaking(true)}>Make the first account</Button>}
            >
              So whoever uses this machine may do everything, and nobody elsewhere anything. From the first account on, which
              has to be an admin, everybody has to log in.
            </EmptyState>
          )
        }
      />
      <AccountForm opened={making} onClose={() => setMaking(false)} first={first} />
    </Page>
  );
}

function Actions({ account }: { account: Account }) {
  const [editing, setEditing] = useState(false);
  const [asking, setAsking] = useState(false);
  const remove = useDeleteAccount();
  return (
    <Group gap={4} justify="flex-end" wrap="nowrap">
      <Button variant="subtle" size="compact-xs" onClick={() => setEditing(true)} aria-label={`Change ${account.name}`}>
        Change
      </Button>
      <Button variant="subtle" color="red" size="compact-xs" onClick={() => setAsking(true)} aria-label={`Delete ${account.name}`}>
        Delete
      </Button>
      <AccountForm opened={editing} onClose={() => setEditing(false)} account={account} />
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={`Delete ${account.name}?`}
        confirm="Delete"
        danger
        type={account.name}
        onConfirm={() => remove.mutateAsync(account.name)}
      >
        Its tokens and sessions end at once. What it did stays in the audit log.
      </ConfirmDialog>
    </Group>
  );
}
