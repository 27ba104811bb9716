// A job: what it is for, its runs by tasks, its graph, how long it takes, when it is due, its code, and how to launch it.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Play } from "lucide-react";
import { lazy, Suspense } from "react";
import { jobQueries } from "@/api/jobs";
import type { Schema } from "@/api/client";
import { useUrlState } from "@/app/search";
import { useShortcut } from "@/app/shortcuts";
import { ErrorView } from "@/components/ErrorView";
import { LocationLink, RunLink } from "@/components/links";
import { Page } from "@/components/Page";
import { PermissionGate } from "@/components/PermissionGate";
import { StateBadge, Tag } from "@/components/StateBadge";
import { RelativeTime } from "@/components/time";
import { UrlTabs, type Tab } from "@/components/UrlTabs";
import { CalendarTab } from "./CalendarTab";
import { CodeTab } from "./CodeTab";
import { DurationsTab } from "./DurationsTab";
import { GridTab } from "./GridTab";
import { OverviewTab } from "./OverviewTab";
import { RunsTab } from "./RunsTab";

const URL = { location: "", launch: "" };
const CRUMBS = [{ label: "Jobs", to: "/jobs" }];
const GraphTab = lazy(() => import("./GraphTab"));
const LaunchDrawer = lazy(() => import("./LaunchDrawer"));

export function JobPage() {
  const name = useParams({ strict: false }).job ?? "";
  const [{ location, launch }, set] = useUrlState(URL);
  const { data, error, refetch } = useQuery(jobQueries.one(name, location));
  const open = () => set({ launch: "yes" }, { push: true });
  useShortcut("n", "Launch this job", open);
  if (error && !data) return <ErrorView error={error} retry={() => void refetch()} />;
  return (
    <Page
      title={name}
      crumbs={CRUMBS}
      beside={data && <Beside job={data.job} />}
      about={data && <About job={data.job} />}
      actions={
        <PermissionGate role="operator" location={data?.job.location}>
          <Button leftSection={<Play size={15} aria-hidden />} onClick={open} disabled={!data}>
            Launch
          </Button>
        </PermissionGate>
      }
    >
      {data && <UrlTabs label="Job" tabs={tabsOf(data)} />}
      {data && launch && (
        <Suspense>
          <LaunchDrawer detail={data} onClose={() => set({ launch: "" })} />
        </Suspense>
      )}
    </Page>
  );
}

function Beside({ job }: { job: Schema<"Job"> }) {
  const [last] = job.recent;
  return (
    <>
      <Tag>{job.kind}</Tag>
      {last && (
        <RunLink run={last.id}>
          <StateBadge state={last.state} />
        </RunLink>
      )}
    </>
  );
}

function About({ job }: { job: Schema<"Job"> }) {
  const next = job.schedules.filter((each) => each.enabled && each.next_at).map((each) => each.next_at as string).sort()[0];
  return (
    <>
      at <LocationLink location={job.location} />
      {job.place && <> · <span className="b-mono">{job.place}</span></>}
      {job.recent[0] && <> · ran <RelativeTime at={job.recent[0].created_at} /></>}
      {next && <> · next <RelativeTime at={next} /></>}
    </>
  );
}

function tabsOf(detail: Schema<"JobDetail">): Tab[] {
  const { name, location } = detail.job;
  const total = Object.values(detail.counts).reduce((sum, count) => sum + count, 0);
  const graph = () => (
    <Suspense>
      <GraphTab job={name} location={location} />
    </Suspense>
  );
  return [
    { id: "overview", label: "Overview", content: () => <OverviewTab detail={detail} /> },
    { id: "grid", label: "Grid", content: () => <GridTab job={name} location={location} /> },
    { id: "graph", label: "Graph", content: graph },
    { id: "runs", label: "Runs", count: total, content: () => <RunsTab job={name} location={location} /> },
    { id: "durations", label: "Durations", content: () => <DurationsTab job={name} location={location} /> },
    { id: "calendar", label: "Calendar", content: () => <CalendarTab job={name} location={location} /> },
    { id: "code", label: "Code", content: () => <CodeTab job={name} location={location} run={detail.job.recent[0]?.id} /> },
  ];
}
