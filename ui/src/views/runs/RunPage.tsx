// A run: what became of it and why it ran, its timeline and graph, the task run that is looked at, what it made.
import { Badge, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { runQueries } from "@/api/runs";
import { partitionsText } from "@/app/format";
import { useUrlState } from "@/app/search";
import { ErrorView } from "@/components/ErrorView";
import { Page } from "@/components/Page";
import { StateBadge } from "@/components/StateBadge";
import { UrlTabs } from "@/components/UrlTabs";
import { RUN_FINAL } from "@/design/states";
import { Artifacts } from "./Artifacts";
import { Failures } from "./Failures";
import { Questions } from "./Questions";
import { RunActions } from "./RunActions";
import { RunCode } from "./RunCode";
import { RunEvents } from "./RunEvents";
import { RunFacts, WhyItRan } from "./RunFacts";
import { RunMade } from "./RunMade";
import { RunTasks } from "./RunTasks";
import { RunWork } from "./RunWork";
import { TaskPane } from "./task/TaskPane";
import { useTimeline } from "./useTimeline";

const CRUMBS = [{ label: "Runs", to: "/runs" }];
const URL_STATE = { task: "" };

export function RunPage() {
  const run = Number(useParams({ strict: false }).run);
  const { data, error, refetch } = useQuery(runQueries.one(run));
  const line = useTimeline(run);
  const [url, setUrl] = useUrlState(URL_STATE);
  if (error && !data) return <ErrorView error={error} retry={() => void refetch()} />;
  if (!data) return <Waiting run={run} />;
  const { run: row, counts } = data;
  const isFlow = row.kind === "flow";
  const live = !RUN_FINAL.has(row.state);
  const task = url.task === "" ? null : Number(url.task);
  const checks = data.checks_passed + data.checks_failed;
  return (
    <Page
      title={`${row.job} #${row.id}`}
      crumbs={CRUMBS}
      beside={
        <>
          <StateBadge state={row.state} />
          {row.partition && (
            <Badge variant="default" radius="sm">
              {partitionsText(row.partition)}
            </Badge>
          )}
        </>
      }
      about={<WhyItRan detail={data} />}
      actions={<RunActions detail={data} task={task === null ? null : (keyOf(line.timeline, task) ?? null)} />}
    >
      <Questions detail={data} />
      {(counts.failed ?? 0) > 0 || row.error ? (
        <Failures detail={data} onSelect={(no) => setUrl({ task: String(no) }, { push: true })} />
      ) : null}
      <RunWork run={run} isFlow={isFlow} live={live} line={line} />
      {task !== null && (
        <TaskPane
          run={run}
          no={task}
          actions={data.actions}
          location={row.location}
          onClose={() => setUrl({ task: "" })}
        />
      )}
      <UrlTabs
        label="Parts of the run"
        tabs={[
          { id: "facts", label: "Details", content: () => <RunFacts detail={data} /> },
          { id: "tasks", label: "Task runs", count: total(counts), content: () => <RunTasks run={run} /> },
          {
            id: "made",
            label: "Assets and checks",
            count: data.assets.length + checks,
            content: () => <RunMade detail={data} />,
          },
          { id: "artifacts", label: "Artifacts", content: () => <Artifacts run={run} /> },
          { id: "code", label: "Code", content: () => <RunCode detail={data} /> },
          { id: "events", label: "Events", content: () => <RunEvents run={run} /> },
        ]}
      />
    </Page>
  );
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function keyOf(timeline: ReturnType<typeof useTimeline>["timeline"], no: number): string | undefined {
  const i = timeline?.indexOf.get(no);
  if (timeline === null || i === undefined) return undefined;
  const step = timeline.steps[timeline.step[i]!]!;
  return timeline.lane[i] === "" ? step : `${step}[${timeline.lane[i]}]`;
}

function Waiting({ run }: { run: number }) {
  return (
    <Page title={`Run ${run}`} crumbs={CRUMBS}>
      <Skeleton height={420} radius="md" mb="md" />
      <Skeleton height={180} radius="md" />
    </Page>
  );
}
