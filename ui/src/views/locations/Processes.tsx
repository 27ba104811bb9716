import { useQuery } from "@tanstack/react-query";
import type { Schema } from "@/api/client";
import { serviceQueries } from "@/api/service";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { StateBadge, Tag } from "@/components/StateBadge";
import { RelativeTime } from "@/components/time";

const COLUMNS: Column<Schema<"Process">>[] = [
  { id: "kind", header: "Process", cell: (each) => <Tag>{each.kind}</Tag>, width: "130px", card: "head" },
  { id: "alive", header: "State", cell: (each) => <StateBadge state={each.alive ? "ok" : "lost"} label={each.alive ? "Alive" : "Not heard of"} />, width: "150px", card: "head" },
  { id: "host", header: "Machine", cell: (each) => <span className="b-mono">{`${each.host} · ${each.pid}`}</span> },
  { id: "since", header: "Since", cell: (each) => <RelativeTime at={each.started_at} />, width: "120px" },
  { id: "seen", header: "Seen", cell: (each) => <RelativeTime at={each.seen_at} />, width: "120px" },
];

/** The processes of the service: schedulers, servers, workers. */
export function Processes() {
  const { data, error, refetch } = useQuery(serviceQueries.processes());
  return (
    <section aria-label="Processes" style={{ marginTop: 24 }}>
      <h2 style={{ fontSize: 15, margin: "0 0 10px" }}>Processes</h2>
      <DataTable
        name="processes"
        label="Processes"
        columns={COLUMNS}
        rows={data}
        error={error}
        retry={() => void refetch()}
        rowKey={(each) => each.id}
        empty={<EmptyState title="No scheduler runs" command="batuta up">Without one nothing is started: neither by the clock nor from here.</EmptyState>}
      />
    </section>
  );
}
