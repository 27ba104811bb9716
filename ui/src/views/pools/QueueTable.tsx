import { useQuery } from "@tanstack/react-query";
import type { Schema } from "@/api/client";
import { serviceQueries } from "@/api/service";
import { durationText, partitionsText, plural } from "@/app/format";
import { DataTable, type Column } from "@/components/DataTable";
import { JsonView } from "@/components/json";
import { JobLink, RunLink } from "@/components/links";
import { Section } from "@/components/Page";

type Queued = Schema<"QueuedRun">;

const COLUMNS: Column<Queued>[] = [
  { id: "position", header: "Place", cell: (each) => each.position, width: "70px", align: "right" },
  { id: "run", header: "Run", cell: (each) => <RunLink run={each.run.id} />, width: "84px", card: "head" },
  { id: "job", header: "Job", cell: (each) => <JobLink job={each.run.job} location={each.run.location} />, width: "24%", card: "head" },
  { id: "about", header: "About", cell: (each) => partitionsText(each.run.partition), width: "160px" },
  { id: "priority", header: "Priority", cell: (each) => each.run.priority, width: "80px", align: "right" },
  { id: "waits", header: "Waits", cell: (each) => durationText(each.waits_s), width: "90px", align: "right" },
  { id: "why", header: "Why", cell: (each) => each.why },
];

/** What waits to be started, and why. */
export function QueueTable() {
  const { data, error, refetch } = useQuery(serviceQueries.queue());
  const limits = Object.entries(data?.limits ?? {}).filter(([, value]) => value !== null && !(typeof value === "object" && Object.keys(value as object).length === 0));
  return (
    <>
      <Section title={data ? (data.total ? `${plural(data.total, "run")} in the queue` : "The queue is empty") : "Queue"}>
        {limits.length > 0 ? <JsonView value={Object.fromEntries(limits)} label="Limits" /> : <p className="b-dim">No limits but those of pools are set: [queue] in batuta.toml has them.</p>}
      </Section>
      {data && data.total > 0 && (
        <DataTable name="queue" label="Queue" columns={COLUMNS} rows={data.items} error={error} retry={() => void refetch()} rowKey={(each) => String(each.run.id)} target={(each) => ({ to: "/runs/$run", params: { run: String(each.run.id) } })} empty={null} />
      )}
    </>
  );
}
