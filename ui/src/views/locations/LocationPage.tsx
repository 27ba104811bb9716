// A code location: what it defines, which version serves, what does not load and where; and loading it anew.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { RefreshCw } from "lucide-react";
import { serviceQueries, useReloadLocation } from "@/api/service";
import { useShortcut } from "@/app/shortcuts";
import { CodeBlock } from "@/components/CodeBlock";
import { CopyButton } from "@/components/CopyButton";
import { ErrorView } from "@/components/ErrorView";
import { KeyValue } from "@/components/KeyValue";
import { Page, Section } from "@/components/Page";
import { PermissionGate } from "@/components/PermissionGate";
import { StateBadge } from "@/components/StateBadge";
import { RelativeTime } from "@/components/time";
import { stateOf } from "./state";

const CRUMBS = [{ label: "Locations", to: "/locations" }];

export function LocationPage() {
  const location = useParams({ strict: false }).location ?? "";
  const { data, error, refetch } = useQuery(serviceQueries.location(location));
  const reload = useReloadLocation();
  useShortcut("r", "Load this location anew", () => reload.mutate(location));
  if (error && !data) return <ErrorView error={error} retry={() => void refetch()} />;
  const count = (to: string, number: number, word: string) => (
    <Link to={to} search={{ location }} className="b-link">
      {number} {word}
    </Link>
  );
  return (
    <Page
      title={location}
      crumbs={CRUMBS}
      beside={data && <StateBadge {...stateOf(data)} />}
      about={data && <>loaded <RelativeTime at={data.loaded_at} /></>}
      actions={
        <PermissionGate role="editor" location={location}>
          <Button leftSection={<RefreshCw size={15} aria-hidden />} loading={reload.isPending} onClick={() => reload.mutate(location)}>
            Reload
          </Button>
        </PermissionGate>
      }
    >
      {data?.error && (
        <Section title="Why its newest version does not serve; the last good one goes on">
          <CodeBlock text={data.error} />
        </Section>
      )}
      {data?.problems.map((problem) => (
        <Section key={`${problem.place} ${problem.message}`} title={problem.message}>
          <p className="b-mono">{problem.place}</p>
          {problem.hint && <p>{problem.hint}</p>}
          {problem.detail && <CodeBlock text={problem.detail} language="python" height={420} />}
        </Section>
      ))}
      {data && (
        <Section title="What it has">
          <KeyValue
            facts={[
              ["Jobs", count("/jobs", data.jobs, "jobs")],
              ["Assets", count("/assets", data.assets, "assets")],
              ["Schedules", count("/schedules", data.schedules, "schedules")],
              ["Checks", data.checks],
              ["Code", <span key="c" className="b-mono">{data.code.join(", ")}</span>],
              ["Python", data.python ? <span className="b-mono">{data.python}</span> : "the one that runs Batuta"],
              ["Version", data.version && <span className="b-mono" title={data.version}>{data.version.slice(0, 12)} <CopyButton text={data.version} label="Copy version" /></span>],
            ]}
          />
        </Section>
      )}
    </Page>
  );
}
