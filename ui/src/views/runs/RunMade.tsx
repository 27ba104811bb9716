// What a run made and what it checked.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Schema } from "@/api/client";
import { runQueries } from "@/api/runs";
import { countText, plural } from "@/app/format";
import { EmptyState } from "@/components/EmptyState";
import { ErrorView } from "@/components/ErrorView";
import { AssetLink } from "@/components/links";
import { MetadataView } from "@/components/MetadataView";
import { Section } from "@/components/Page";
import { StateBadge } from "@/components/StateBadge";
import { RelativeTime } from "@/components/time";
import classes from "./RunMade.module.css";

const SHOWN = 100;

export function RunMade({ detail }: { detail: Schema<"RunDetail"> }) {
  const { run } = detail;
  const made = useQuery(runQueries.materializations(run.id));
  const checks = useQuery(runQueries.checks(run.id));
  const error = made.error ?? checks.error;
  if (error) return <ErrorView error={error} retry={() => void Promise.all([made.refetch(), checks.refetch()])} />;
  if (made.data?.length === 0 && checks.data?.length === 0) {
    return (
      <EmptyState title="It made no assets and checked none">
        What the steps of a run report of assets stands here, with its metadata.
      </EmptyState>
    );
  }
  return (
    <div className={classes.columns}>
      {made.data && made.data.length > 0 && (
        <Section title={plural(made.data.length, "materialization")}>
          <ul className={classes.list}>
            {made.data.slice(0, SHOWN).map((one) => (
              <Made key={one.id} one={one} />
            ))}
          </ul>
          {made.data.length > SHOWN && <p className="b-dim">and {countText(made.data.length - SHOWN)} more</p>}
        </Section>
      )}
      {checks.data && checks.data.length > 0 && (
        <Section title={`${plural(checks.data.length, "check")}, ${detail.checks_failed} failed`}>
          <ul className={classes.list}>
            {[...checks.data]
              .sort((a, b) => Number(a.passed) - Number(b.passed))
              .slice(0, SHOWN)
              .map((one, i) => (
                <Verdict key={i} one={one} />
              ))}
          </ul>
          {checks.data.length > SHOWN && <p className="b-dim">and {countText(checks.data.length - SHOWN)} more</p>}
        </Section>
      )}
    </div>
  );
}

function Made({ one }: { one: Schema<"Materialization"> }) {
  const has = Object.keys(one.metadata).length > 0;
  return (
    <li>
      <Unfold
        has={has}
        head={
          <>
            <AssetLink asset={one.asset} />
            {one.partition && <span className="b-mono">{one.partition}</span>}
            <span className={classes.rest}>
              {one.rows !== null && <span>{plural(one.rows, "row")}</span>}
              <RelativeTime at={one.at} />
            </span>
          </>
        }
      >
        <MetadataView values={one.metadata} />
      </Unfold>
    </li>
  );
}

function Verdict({ one }: { one: Schema<"CheckResult"> }) {
  const state = one.passed ? "passed" : one.blocking ? "failed" : "warning";
  return (
    <li>
      <Unfold
        has={Object.keys(one.metadata).length > 0 || one.description !== ""}
        head={
          <>
            <StateBadge state={state} />
            <span className="b-ellipsis">{one.check}</span>
            <AssetLink asset={one.asset} />
            {one.partition && <span className="b-mono">{one.partition}</span>}
          </>
        }
      >
        {one.description && <p className={classes.description}>{one.description}</p>}
        <MetadataView values={one.metadata} />
      </Unfold>
    </li>
  );
}

function Unfold({ head, has, children }: { head: React.ReactNode; has: boolean; children: React.ReactNode }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <div className={classes.head}>
        {head}
        {has && (
          <button type="button" className={classes.unfold} aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? "Less" : "More"}
          </button>
        )}
      </div>
      {open && <div className={classes.inner}>{children}</div>}
    </>
  );
}
