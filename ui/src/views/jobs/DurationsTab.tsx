import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { jobQueries } from "@/api/jobs";
import { durationText } from "@/app/format";
import { Chart } from "@/components/Chart";
import { EmptyState } from "@/components/EmptyState";
import { ErrorView } from "@/components/ErrorView";
import { KeyValue } from "@/components/KeyValue";
import { Section } from "@/components/Page";
import { Duration } from "@/components/time";

const RUNS = 200;

/** How long its runs took, and how long they waited, oldest first; a click opens the run. */
export function DurationsTab({ job, location }: { job: string; location: string }) {
  const { data, error, refetch } = useQuery(jobQueries.durations(job, location, RUNS));
  const navigate = useNavigate();
  const items = useMemo(() => (data?.items ?? []).filter((run) => run.duration_s !== null).reverse(), [data]);
  const open = useCallback((at: number) => items[at] && void navigate({ to: "/runs/$run", params: { run: String(items[at].run) } }), [items, navigate]);
  const x = useMemo(() => items.map((run) => Date.parse(run.at) / 1000), [items]);
  const series = useMemo(
    () => [
      { label: "Succeeded", color: "var(--b-green-solid)", kind: "points" as const, values: items.map((run) => (run.state === "succeeded" ? run.duration_s : null)) },
      { label: "Failed", color: "var(--b-red-solid)", kind: "points" as const, values: items.map((run) => (run.state === "failed" ? run.duration_s : null)) },
      { label: "Waited", color: "var(--b-grey-solid)", values: items.map((run) => run.queued_s) },
    ],
    [items],
  );
  if (error && !data) return <ErrorView error={error} retry={() => void refetch()} />;
  if (!data) return null;
  if (items.length === 0) return <EmptyState title="No run has ended yet">How long they take is shown here from the first on.</EmptyState>;
  return (
    <Section title={`The last ${items.length} runs`}>
      <KeyValue facts={[["Median", <Duration key="m" seconds={data.median_s} />], ["95 of 100 within", <Duration key="p" seconds={data.p95_s} />]]} />
      <Chart label={`Durations of ${job}`} x={x} series={series} height={280} format={durationText} onPick={open} />
    </Section>
  );
}
