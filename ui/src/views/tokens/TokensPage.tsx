// API tokens: one's own and, for admins, those of others. A new one is shown once. Also one's password, as both are how
// somebody shows who they are.
import { Button, SegmentedControl } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { accessQueries, may, useMe, useRevokeToken, type Me, type Token } from "@/api/access";
import { useUrlState } from "@/app/search";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { FilterBar } from "@/components/FilterBar";
import { tableOf } from "@/components/list";
import { Page } from "@/components/Page";
import { rolesText } from "@/components/RolesField";
import { StateBadge } from "@/components/StateBadge";
import { useListState } from "@/components/table-state";
import { RelativeTime } from "@/components/time";
import { ChangePassword } from "./ChangePassword";
import { NewToken } from "./NewToken";

const LIST = { sort: "-created", filters: {} };
const URL = { of: "" };

export function stateOf(token: Token, now: number): string {
  if (token.revoked_at) return "revoked";
  return token.expires_at && Date.parse(token.expires_at) <= now ? "expired" : "ok";
}

const COLUMNS: Column<Token>[] = [
  { id: "title", header: "Token", cell: (token) => token.title, sorts: ["title", "-title"], width: "24%", card: "head" },
  {
    id: "state",
    header: "State",
    cell: (token) => {
      const state = stateOf(token, Date.now());
      return <StateBadge state={state} label={state === "ok" ? "Valid" : undefined} />;
    },
    width: "110px",
    card: "head",
  },
  { id: "account", header: "Account", cell: (token) => token.account, sorts: ["account", "-account"], width: "140px" },
  { id: "roles", header: "May", cell: (token) => rolesText(token.roles) || "all that the account may" },
  { id: "used", header: "Used", cell: (token) => <RelativeTime at={token.used_at} empty="never" />, width: "100px" },
  { id: "expires", header: "Expires", cell: (token) => <RelativeTime at={token.expires_at} empty="never" />, width: "100px" },
  { id: "created", header: "Made", cell: (token) => <RelativeTime at={token.created_at} />, sorts: ["-created", "created"], width: "110px" },
  { id: "by", header: "By", cell: (token) => token.created_by, width: "120px", hidden: true },
  { id: "actions", header: "", cell: (token) => <Revoke token={token} />, width: "100px", align: "right" },
];

export function TokensPage() {
  const me = useMe();
  const [making, setMaking] = useState(false);
  const [changing, setChanging] = useState(false);
  if (!me) return null;
  const open = me.method === "local";
  return (
    <Page
      title="API tokens"
      about="What scripts and other services send in place of a name and a password."
      actions={
        !open && (
          <>
            {me.method === "session" && me.login.includes("password") && (
              <Button variant="default" leftSection={<KeyRound size={14} />} onClick={() => setChanging(true)}>
                Change password
              </Button>
            )}
            <Button leftSection={<Plus size={14} />} onClick={() => setMaking(true)}>
              New token
            </Button>
          </>
        )
      }
    >
      {open ? (
        <EmptyState icon={KeyRound} title="No token is needed here" command="batuta accounts add NAME --role admin">
          There are no accounts, so whoever uses this machine may do everything, and nobody else anything. From the first
          account on everybody has to log in, or to send a token.
        </EmptyState>
      ) : (
        <List me={me} make={() => setMaking(true)} />
      )}
      <NewToken me={me} opened={making} onClose={() => setMaking(false)} />
      <ChangePassword opened={changing} onClose={() => setChanging(false)} />
    </Page>
  );
}

function List({ me, make }: { me: Me; make: () => void }) {
  const [{ of }, set] = useUrlState(URL);
  const list = useListState(LIST);
  const query = useInfiniteQuery(accessQueries.tokens({ ...list.query, ...(of === "all" ? { account: "*" } : {}) }));
  return (
    <>
      <FilterBar list={list} search="Search tokens" table={{ name: "tokens", columns: COLUMNS }}>
        {may(me, "admin") && (
          <SegmentedControl
            size="xs"
            aria-label="Whose tokens"
            value={of === "all" ? "all" : "mine"}
            data={[
              { value: "mine", label: "Mine" },
              { value: "all", label: "Everybody's" },
            ]}
            onChange={(value) => set({ of: value === "all" ? "all" : "" })}
          />
        )}
      </FilterBar>
      <DataTable
        name="tokens"
        label="API tokens"
        columns={COLUMNS}
        {...tableOf(query)}
        rowKey={(token) => String(token.id)}
        sort={list.sort}
        onSort={list.setSort}
        empty={
          list.filtered ? (
            <NothingFound what="tokens" clear={list.clear} />
          ) : (
            <EmptyState icon={KeyRound} title="There are no tokens" action={<Button onClick={make}>New token</Button>}>
              A token lets a script use the API in your name, with all that you may do or less.
            </EmptyState>
          )
        }
      />
    </>
  );
}

function Revoke({ token }: { token: Token }) {
  const [asking, setAsking] = useState(false);
  const revoke = useRevokeToken();
  if (token.revoked_at) return null;
  return (
    <>
      <Button variant="subtle" color="red" size="compact-xs" onClick={() => setAsking(true)} aria-label={`Revoke ${token.title}`}>
        Revoke
      </Button>
      <ConfirmDialog opened={asking} onClose={() => setAsking(false)} title={`Revoke ${token.title}?`} confirm="Revoke" danger onConfirm={() => revoke.mutateAsync(token.id)}>
        Whatever still uses it is refused from now on. That cannot be taken back.
      </ConfirmDialog>
    </>
  );
}
