// Why automation did, or did not, make an asset: its last evaluations, and of the chosen one which part was true of what.
import { Switch } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { assetQueries, type Asset } from "@/api/assets";
import { itemsOf } from "@/api/pages";
import { ApiError } from "@/api/problem";
import { tickerQueries, useSwitchTicker, type Tick } from "@/api/service";
import { useUrlState } from "@/app/search";
import { ConditionTree, isPart } from "@/components/ConditionTree";
import { EmptyState } from "@/components/EmptyState";
import { ErrorView } from "@/components/ErrorView";
import { KeyValue } from "@/components/KeyValue";
import { RunLink } from "@/components/links";
import { Section } from "@/components/Page";
import { PermissionGate } from "@/components/PermissionGate";
import { StateBadge } from "@/components/StateBadge";
import { RelativeTime } from "@/components/time";
import classes from "./assets.module.css";
import { treeOf } from "./condition";

const URL = { tick: "" };
const SHOWN = 30;

export function AutomationTab({ asset }: { asset: Asset }) {
  const ticker = { kind: "automation" as const, location: asset.location, name: asset.key };
  const [{ tick }, set] = useUrlState(URL);
  const found = useQuery({ ...tickerQueries.one("automation", asset.location, asset.key), retry: false });
  const query = useInfiniteQuery(tickerQueries.ticks({ kind: ["automation"], location: [asset.location], name: asset.key, limit: SHOWN }));
  const turn = useSwitchTicker();
  const ticks = query.data ? itemsOf(query.data) : [];
  const chosen = ticks.find((each) => String(each.id) === tick) ?? ticks[0];
  if (found.error instanceof ApiError && found.error.status === 404)
    return (
      <EmptyState title="It is not automated">
        With <code>automation=Automation.eager()</code> on it, it is made whenever what it is made from is; each decision is explained here.
      </EmptyState>
    );
  if (found.error && !found.data) return <ErrorView error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return null;
  return (
    <div className={classes.columns}>
      <div>
        <Now asset={asset.key} />
        <Section
          title={chosen ? <>Tick {chosen.id}, <RelativeTime at={chosen.at} /></> : "Not evaluated yet"}
          actions={
            <PermissionGate role="operator" location={asset.location}>
              <Switch label="Automated" checked={found.data.enabled} onChange={(event) => turn.mutate({ ticker, enabled: event.currentTarget.checked })} />
            </PermissionGate>
          }
        >
          {chosen ? <Explained tick={chosen} /> : <p className="b-dim">It is evaluated when something happens that its condition depends on.</p>}
        </Section>
      </div>
      <Section title="Ticks" flush>
        <ul className={classes.ticks}>
          {ticks.slice(0, SHOWN).map((each) => (
            <li key={each.id}>
              <button type="button" aria-pressed={each.id === chosen?.id} onClick={() => set({ tick: String(each.id) })}>
                <StateBadge state={each.outcome} />
                <span className="b-ellipsis">{each.reason}</span>
                <span className="b-dim">
                  <RelativeTime at={each.at} />
                </span>
              </button>
            </li>
          ))}
        </ul>
      </Section>
    </div>
  );
}

/** What its next tick would find. */
function Now({ asset }: { asset: string }) {
  const { data } = useQuery({ ...assetQueries.automation(asset), retry: false });
  const part = data && treeOf(data.condition);
  if (!data || !part) return null;
  return (
    <Section title="As things stand now">
      <KeyValue facts={[["Would make", data.requested], ["Is being made", data.in_progress], ["Asked for before", data.requested_before]]} />
      <ConditionTree part={part} />
    </Section>
  );
}

function Explained({ tick }: { tick: Tick }) {
  const { condition } = tick.data;
  return (
    <>
      <p className={classes.list}>
        <StateBadge state={tick.outcome} />
        {tick.reason}
        {tick.runs.map((run) => (
          <RunLink key={run} run={run} />
        ))}
      </p>
      {isPart(condition) && <ConditionTree part={condition} />}
    </>
  );
}
