// A backfill: how far it is, what may be asked of it, and each of its runs.
import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Ban, CirclePause, Play, RotateCw } from "lucide-react";
import { useState } from "react";
import type { Schema } from "@/api/client";
import { backfillQueries, useActOnBackfill, type Backfill } from "@/api/service";
import { countText, partitionsText } from "@/app/format";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { ErrorView } from "@/components/ErrorView";
import { FilterBar, stateOptions, type Filter } from "@/components/FilterBar";
import { KeyValue } from "@/components/KeyValue";
import { JobLink, RunLink } from "@/components/links";
import { tableOf } from "@/components/list";
import { Page, Section } from "@/components/Page";
import { PermissionGate } from "@/components/PermissionGate";
import { StateBadge, Tag } from "@/components/StateBadge";
import { useListState } from "@/components/table-state";
import { AbsoluteTime, RelativeTime } from "@/components/time";
import { stateColor } from "@/design/states";
import classes from "./backfills.module.css";

const CRUMBS = [{ label: "Backfills", to: "/backfills" }];
const STATES = ["succeeded", "failed", "cancelled", "submitted", "waiting"] as const;
const LIST = { sort: "", filters: { state: [] } };
const FILTERS: Filter[] = [{ id: "state", label: "State", kind: "many", options: stateOptions(STATES) }];

const COLUMNS: Column<Schema<"BackfillItem">>[] = [
  { id: "label", header: "About", cell: (item) => <span className="b-mono">{partitionsText(item.label)}</span>, width: "30%", card: "head" },
  { id: "state", header: "State", cell: (item) => <StateBadge state={item.state} />, width: "130px", card: "head" },
  { id: "run", header: "Run", cell: (item) => (item.run === null ? <span className="b-dim">–</span> : <RunLink run={item.run} />), width: "90px" },
  { id: "attempt", header: "Attempt", cell: (item) => item.attempt, width: "90px", align: "right" },
  { id: "error", header: "Why", cell: (item) => item.error },
];

export function BackfillPage() {
  const id = Number(useParams({ strict: false }).backfill);
  const list = useListState(LIST);
  const { data, error, refetch } = useQuery(backfillQueries.one(id));
  const items = useInfiniteQuery(backfillQueries.items(id, list.query));
  if (error && !data) return <ErrorView error={error} retry={() => void refetch()} />;
  return (
    <Page
      title={`Backfill ${id}`}
      crumbs={CRUMBS}
      beside={data && <StateBadge state={data.state} />}
      about={data && <>launched <RelativeTime at={data.created_at} />{data.created_by && ` by ${data.created_by}`}</>}
      actions={data && <Actions backfill={data} />}
    >
      {data?.error && (
        <Section title="What keeps it from going on">
          <p>{data.error}</p>
        </Section>
      )}
      {data && (
        <Section>
          <Progress counts={data.counts} />
          <KeyValue facts={factsOf(data)} />
        </Section>
      )}
      <FilterBar list={list} search="Search its runs" filters={FILTERS} table={{ name: "backfill-items", columns: COLUMNS }} />
      <DataTable
        name="backfill-items"
        label={`Runs of backfill ${id}`}
        columns={COLUMNS}
        {...tableOf(items)}
        rowKey={(item) => String(item.no)}
        empty={list.filtered ? <NothingFound what="runs" clear={list.clear} /> : <EmptyState title="It has nothing to do" />}
      />
    </Page>
  );
}

function factsOf(backfill: Backfill): [string, React.ReactNode][] {
  const tags = Object.entries(backfill.tags);
  return [
    ["Of", backfill.job ? <JobLink job={backfill.job} location={backfill.location} /> : <code>{backfill.selection}</code>],
    ["Partitions", backfill.partitions || false],
    ["From", backfill.first && <AbsoluteTime at={backfill.first} show="minute" />],
    ["To", backfill.last && <AbsoluteTime at={backfill.last} show="minute" />],
    ["Which of them", backfill.mode],
    ["Partitions a run", backfill.batch || "all in one"],
    ["Runs at once", backfill.runs_max],
    ["Tags", tags.length > 0 && tags.map(([key, value]) => <Tag key={key}>{value ? `${key}=${value}` : key}</Tag>)],
    ["Over", backfill.finished_at && <RelativeTime at={backfill.finished_at} />],
  ];
}

/** Shares of the states, as a bar and in words. */
export function Progress({ counts, compact }: { counts: Record<string, number>; compact?: boolean }) {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const known = STATES.filter((state) => counts[state]);
  const words = known.map((state) => `${countText(counts[state] ?? 0)} ${state}`).join(", ");
  return (
    <div className={compact ? classes.narrow : undefined}>
      <div className={classes.bar} role="img" aria-label={words || "nothing"} title={words}>
        {known.map((state) => (
          <span key={state} style={{ width: `${(100 * (counts[state] ?? 0)) / (total || 1)}%`, background: stateColor(state) }} />
        ))}
      </div>
      {!compact && (
        <div className={classes.words}>
          {known.map((state) => (
            <StateBadge key={state} state={state} label={`${countText(counts[state] ?? 0)} ${state}`} />
          ))}
        </div>
      )}
    </div>
  );
}

const LOOKS = {
  pause: { label: "Pause", icon: CirclePause },
  resume: { label: "Resume", icon: Play },
  retry: { label: "Retry failed", icon: RotateCw },
  cancel: { label: "Cancel", icon: Ban },
} as const;

function Actions({ backfill }: { backfill: Backfill }) {
  const act = useActOnBackfill();
  const [asking, setAsking] = useState(false);
  const offered = (Object.keys(LOOKS) as (keyof typeof LOOKS)[]).filter((action) => backfill.actions.includes(action));
  return (
    <>
      {offered.map((action) => {
        const { label, icon: Icon } = LOOKS[action];
        const go = () => (action === "cancel" ? setAsking(true) : act.mutate({ backfill: backfill.id, action }));
        return (
          <PermissionGate key={action} role="operator" location={backfill.location || undefined}>
            <Button variant={action === "cancel" ? "light" : "default"} color={action === "cancel" ? "red" : undefined} leftSection={<Icon size={15} aria-hidden />} onClick={go}>
              {label}
            </Button>
          </PermissionGate>
        );
      })}
      <ConfirmDialog opened={asking} onClose={() => setAsking(false)} title={`Cancel backfill ${backfill.id}?`} confirm="Cancel backfill" danger onConfirm={() => act.mutateAsync({ backfill: backfill.id, action: "cancel" })}>
        Its runs under way are cancelled, and no more are started. What is made stays.
      </ConfirmDialog>
    </>
  );
}
