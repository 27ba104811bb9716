import { useInfiniteQuery } from "@tanstack/react-query";
import { assetQueries } from "@/api/assets";
import type { Schema } from "@/api/client";
import { plural } from "@/app/format";
import { useUrlState } from "@/app/search";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { RunLink } from "@/components/links";
import { tableOf } from "@/components/list";
import { MetadataView } from "@/components/MetadataView";
import { Section } from "@/components/Page";
import { StateBadge, Tag } from "@/components/StateBadge";
import { RelativeTime } from "@/components/time";
import classes from "./assets.module.css";

const URL = { check: "" };

export const verdictOf = (one: { passed: boolean | null; blocking: boolean }) =>
  one.passed === null ? "waiting" : one.passed ? "passed" : one.blocking ? "failed" : "warning";

const COLUMNS: Column<Schema<"CheckResult">>[] = [
  { id: "passed", header: "Verdict", cell: (one) => <StateBadge state={verdictOf(one)} />, width: "110px", card: "head" },
  { id: "partition", header: "Partition", cell: (one) => <span className="b-mono">{one.partition}</span>, width: "150px" },
  { id: "said", header: "What was found", cell: (one) => one.description },
  { id: "at", header: "When", cell: (one) => <RelativeTime at={one.at} />, width: "110px" },
  { id: "run", header: "Run", cell: (one) => <RunLink run={one.run} />, width: "80px" },
];

/** Its checks with the last verdict; of the chosen one all verdicts. */
export function ChecksTab({ detail }: { detail: Schema<"AssetDetail"> }) {
  const [{ check }, set] = useUrlState(URL);
  const query = useInfiniteQuery(assetQueries.checkResults(detail.asset.key, { check: check || undefined }));
  if (detail.checks.length === 0)
    return (
      <EmptyState title="Nothing is checked" command="batuta list checks">
        A check is an assertion about the data: write one with @check, blocking if what is downstream shall wait for it.
      </EmptyState>
    );
  const newest = query.data?.pages[0]?.items[0];
  return (
    <>
      <Section title={plural(detail.checks.length, "check")}>
        <ul className={classes.checks}>
          {detail.checks.map((one) => (
            <li key={one.name}>
              <button type="button" aria-pressed={one.name === check} onClick={() => set({ check: one.name === check ? "" : one.name })}>
                <StateBadge state={verdictOf(one)} />
                <strong>{one.name}</strong>
                {one.blocking && <Tag>blocking</Tag>}
                <span className="b-dim">{one.said || one.description}</span>
                {one.partitions_failed.length > 0 && <span className="b-dim"> · fails for {plural(one.partitions_failed.length, "partition")}</span>}
              </button>
            </li>
          ))}
        </ul>
      </Section>
      {check && newest && Object.keys(newest.metadata).length > 0 && (
        <Section title={`${check}: what it last reported`}>
          <MetadataView values={newest.metadata} />
        </Section>
      )}
      <DataTable
        name="check-results"
        label={check ? `Verdicts of ${check}` : "Verdicts"}
        columns={COLUMNS}
        {...tableOf(query)}
        rowKey={(one) => `${one.run} ${one.task} ${one.check} ${one.partition}`}
        empty={<EmptyState title="No verdict yet">Checks are evaluated when the asset is made.</EmptyState>}
      />
    </>
  );
}
