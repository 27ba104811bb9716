import { Button, Drawer } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { itemsOf } from "@/api/pages";
import { alertQueries, useSettleAlert, type Alert } from "@/api/service";
import { useUrlState, type Search } from "@/app/search";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { FilterBar, stateOptions, type Filter } from "@/components/FilterBar";
import { KeyValue } from "@/components/KeyValue";
import { tableOf } from "@/components/list";
import { Markdown } from "@/components/Markdown";
import { Page, Section } from "@/components/Page";
import { PermissionGate } from "@/components/PermissionGate";
import { StateBadge } from "@/components/StateBadge";
import { useListState } from "@/components/table-state";
import { RelativeTime } from "@/components/time";

const URL = { alert: "" };
const LIST = { sort: "-id", filters: { open: "", severity: [], rule: "" } };
const FILTERS: Filter[] = [
  { id: "open", label: "Open or over", kind: "one", options: [{ value: "true", label: "Open" }, { value: "false", label: "Over" }] },
  { id: "severity", label: "Severity", kind: "many", options: stateOptions(["info", "warning", "error", "critical"]) },
  { id: "rule", label: "Rule", kind: "text" },
];

const COLUMNS: Column<Alert>[] = [
  { id: "open", header: "State", cell: (alert) => <StateBadge state={alert.resolved_at ? "resolved" : "open"} />, width: "120px", card: "head" },
  { id: "title", header: "Alert", cell: (alert) => alert.title, card: "head" },
  { id: "severity", header: "Severity", cell: (alert) => <StateBadge state={alert.severity} />, width: "110px" },
  { id: "rule", header: "Rule", cell: (alert) => alert.rule, width: "170px" },
  { id: "raised", header: "Raised", cell: (alert) => <RelativeTime at={alert.at} />, sorts: ["-id", "id"], width: "100px" },
  { id: "count", header: "Times", cell: (alert) => alert.count, width: "70px", align: "right" },
  { id: "last", header: "Last", cell: (alert) => <RelativeTime at={alert.last_at} />, width: "100px" },
];

export function AlertsPage() {
  const list = useListState(LIST);
  const query = useInfiniteQuery(alertQueries.list(list.query));
  const [{ alert: chosen }, set] = useUrlState(URL);
  const search = useSearch({ strict: false }) as Search;
  const alert = query.data && itemsOf(query.data).find((each) => String(each.id) === chosen);
  return (
    <Page title="Alerts">
      <FilterBar list={list} search="Search alerts" filters={FILTERS} table={{ name: "alerts", columns: COLUMNS }} />
      <DataTable
        name="alerts"
        label="Alerts"
        columns={COLUMNS}
        {...tableOf(query)}
        rowKey={(alert) => String(alert.id)}
        sort={list.sort}
        onSort={list.setSort}
        target={(alert) => ({ to: "/alerts", search: { ...search, alert: String(alert.id) } })}
        empty={
          list.filtered ? (
            <NothingFound what="alerts" clear={list.clear} />
          ) : (
            <EmptyState title="There was no alert" command="batuta alerts test">
              Rules in batuta.toml say who is told of what: [[alerts.rules]].
            </EmptyState>
          )
        }
      />
      {alert && <AlertDrawer alert={alert} onClose={() => set({ alert: "" })} />}
    </Page>
  );
}

/** What was told of it, to whom, and whether that arrived. */
function AlertDrawer({ alert, onClose }: { alert: Alert; onClose: () => void }) {
  const settle = useSettleAlert();
  return (
    <Drawer opened onClose={onClose} position="right" size="lg" title={alert.title} closeButtonProps={{ "aria-label": "Close" }}>
      <KeyValue
        facts={[
          ["State", <StateBadge key="s" state={alert.resolved_at ? "resolved" : "open"} />],
          ["Severity", <StateBadge key="v" state={alert.severity} />],
          ["Rule", alert.rule],
          ["Kind", alert.kind.replaceAll("_", " ")],
          ["Raised", <RelativeTime key="a" at={alert.at} />],
          ["Last", <RelativeTime key="l" at={alert.last_at} />],
          ["Times", alert.count],
          ["Over", alert.resolved_at && <RelativeTime at={alert.resolved_at} />],
        ]}
      />
      <Section>
        <Markdown text={alert.body} />
      </Section>
      <Section title="Messages">
        {alert.deliveries.length === 0 && <p className="b-dim">Nobody was told.</p>}
        {alert.deliveries.map((each) => (
          <p key={`${each.channel} ${each.step}`}>
            <StateBadge state={each.state} /> {each.channel}
            {each.step > 0 && ` (escalation ${each.step})`}
            {each.step < 0 && " (that it is over)"} <RelativeTime at={each.sent_at} empty="" />
            {each.error && <span className="b-dim"> {each.error}</span>}
          </p>
        ))}
      </Section>
      {!alert.resolved_at && (
        <PermissionGate role="operator">
          <Button loading={settle.isPending} onClick={() => settle.mutate(alert.id)}>
            Settle
          </Button>
        </PermissionGate>
      )}
    </Drawer>
  );
}
