// Why a run ran, when, of what code, with what; and where else it is to be seen.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Schema } from "@/api/client";
import { itemsOf } from "@/api/pages";
import { serviceQueries, tickerQueries, type TickerKind } from "@/api/service";
import { CopyButton } from "@/components/CopyButton";
import { KeyValue } from "@/components/KeyValue";
import { JsonView } from "@/components/json";
import { JobLink, LocationLink, RunLink, TickerLink } from "@/components/links";
import { Section } from "@/components/Page";
import { StateBadge, Tag } from "@/components/StateBadge";
import { AbsoluteTime, Duration, RelativeTime } from "@/components/time";
import classes from "./RunFacts.module.css";

type Detail = Schema<"RunDetail">;
type Run = Schema<"Run">;

const TICKERS: ReadonlySet<string> = new Set(["schedule", "sensor", "automation"]);

/** One line: what started it, when, for how long. */
export function WhyItRan({ detail }: { detail: Detail }) {
  const { run } = detail;
  return (
    <span className={classes.line}>
      <JobLink job={run.job} location={run.location} />
      <span>
        started by <StartedBy run={run} />
      </span>
      {run.environment !== "" && <Tag>in environment {run.environment}</Tag>}
      <RelativeTime at={run.created_at} />
      <span>
        {run.finished_at ? "took " : run.started_at ? "running for " : "waits to start"}
        {run.started_at && <Duration seconds={run.duration_s} since={run.started_at} />}
      </span>
      {run.backfill !== null && (
        <Link to="/backfills/$backfill" params={{ backfill: String(run.backfill) }} className="b-link">
          backfill {run.backfill}
        </Link>
      )}
    </span>
  );
}

export function StartedBy({ run }: { run: Run }) {
  if (run.trigger === "parent" && run.parent_run !== null)
    return <RunLink run={run.parent_run}>run {run.parent_run}</RunLink>;
  if (TICKERS.has(run.trigger) && run.origin) {
    const kind = run.trigger as "schedule" | "sensor" | "automation";
    return (
      <>
        {run.trigger} <TickerLink ticker={{ kind, location: run.location, name: run.origin }} />
      </>
    );
  }
  return (
    <>
      {run.trigger === "manual" && run.origin
        ? run.origin
        : run.origin
          ? `${run.trigger} (${run.origin})`
          : run.trigger}
    </>
  );
}

export function RunFacts({ detail }: { detail: Detail }) {
  const { run } = detail;
  const tags = Object.entries(run.tags);
  return (
    <div className={classes.columns}>
      <Section title="Run">
        <KeyValue
          facts={[
            ["Job", <JobLink key="job" job={run.job} location={run.location} />],
            ["Kind", run.kind],
            ["Environment", run.environment || null],
            ["Location", <LocationLink key="at" location={run.location} />],
            ["Code", <Version key="version" run={run} />],
            ["Started by", <StartedBy key="by" run={run} />],
            ["Why", TICKERS.has(run.trigger) && run.origin ? <TickReason key="why" run={run} /> : null],
            [
              "Tags",
              tags.length > 0 && (
                <span className={classes.tags}>
                  {tags.map(([name, value]) => (
                    <Tag key={name}>{value ? `${name}=${value}` : name}</Tag>
                  ))}
                </span>
              ),
            ],
            ["Owner", run.owner !== "" && <span className="b-mono">{run.owner}</span>],
            ["Priority", run.priority !== 0 && run.priority],
            ["Concurrency key", run.concurrency_key !== "" && <span className="b-mono">{run.concurrency_key}</span>],
            ...detail.links.map((link): [string, React.ReactNode] => [
              link.title,
              <a key={link.url} href={link.url} target="_blank" rel="noreferrer noopener">
                {link.url}
              </a>,
            ]),
          ]}
        />
      </Section>
      <Section title="Times">
        <KeyValue
          facts={[
            ["Asked for", <AbsoluteTime key="created" at={run.created_at} />],
            ["Began", run.started_at && <AbsoluteTime key="started" at={run.started_at} />],
            [
              "Waited",
              run.started_at && (
                <Duration key="waited" seconds={(Date.parse(run.started_at) - Date.parse(run.created_at)) / 1000} />
              ),
            ],
            ["Ended", run.finished_at && <AbsoluteTime key="finished" at={run.finished_at} />],
            [
              run.finished_at ? "Took" : "Running for",
              run.started_at && <Duration key="took" seconds={run.duration_s} since={run.started_at} />,
            ],
            ["About the time", run.logical_at && <AbsoluteTime key="logical" at={run.logical_at} />],
            ["Data from", run.interval_start && <AbsoluteTime key="from" at={run.interval_start} />],
            ["Data until", run.interval_end && <AbsoluteTime key="until" at={run.interval_end} />],
            [
              "Stopped at the latest",
              run.deadline_at && !run.finished_at && <AbsoluteTime key="deadline" at={run.deadline_at} />,
            ],
          ]}
        />
      </Section>
      <Section title="Parameters">
        {Object.keys(run.params).length === 0 ? (
          <p className="b-dim">It has none.</p>
        ) : (
          <JsonView value={run.params} label="Parameters" />
        )}
        {detail.returned && (
          <>
            <h3 className={classes.sub}>Returned</h3>
            <pre className={classes.returned}>{detail.returned}</pre>
          </>
        )}
      </Section>
      {detail.children.length > 0 && (
        <Section title="Runs that it started">
          <ul className={classes.children}>
            {detail.children.map((child) => (
              <li key={child.id}>
                <StateBadge state={child.state} compact /> <RunLink run={child.id} /> {child.job}{" "}
                <Duration seconds={child.duration_s} since={child.started_at} />
              </li>
            ))}
          </ul>
        </Section>
      )}
    </div>
  );
}

/** The version of the code that ran, and whether that is still what is loaded. */
function Version({ run }: { run: Run }) {
  const { data } = useQuery(serviceQueries.locations());
  const now = data?.find((location) => location.name === run.location)?.version;
  if (!run.version) return <span className="b-dim">not known</span>;
  return (
    <span className={classes.version}>
      <span className="b-mono" title={run.version}>
        {run.version.slice(0, 10)}
      </span>
      <CopyButton text={run.version} label="Copy version" size={12} />
      {now !== undefined && <span className="b-dim">{now === run.version ? "as loaded now" : "changed since"}</span>}
    </span>
  );
}

/** What the tick that launched it said. */
function TickReason({ run }: { run: Run }) {
  const filter = {
    kind: [run.trigger as TickerKind],
    location: [run.location],
    name: run.origin,
    outcome: ["launched" as const],
  };
  const { data } = useInfiniteQuery(tickerQueries.ticks(filter));
  const tick = itemsOf(data).find((one) => one.runs.includes(run.id));
  if (tick === undefined) return <span className="b-dim">–</span>;
  return <>{tick.reason || <AbsoluteTime at={tick.at} />}</>;
}
