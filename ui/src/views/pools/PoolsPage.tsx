import { NumberInput, TextInput } from "@mantine/core";
import type { Schema } from "@/api/client";
import { serviceQueries, useDeletePool, useSetPool, type Pool } from "@/api/service";
import type { Column } from "@/components/DataTable";
import { RelativeTime } from "@/components/time";
import { Registry } from "@/views/registry/Registry";
import { QueueTable } from "./QueueTable";
import { Slots } from "./Slots";

type Given = Schema<"PoolGiven">;

const COLUMNS: Column<Pool>[] = [
  { id: "name", header: "Pool", cell: (pool) => pool.name, sorts: ["name", "-name"], width: "22%", card: "head" },
  { id: "used", header: "Slots taken", cell: (pool) => <Slots used={pool.used} slots={pool.slots} />, sorts: ["-used", "used"], width: "220px" },
  { id: "description", header: "Description", cell: (pool) => pool.description },
  { id: "by", header: "Set by", cell: (pool) => pool.set_by || <span className="b-dim">configuration</span>, width: "140px" },
  { id: "at", header: "Set", cell: (pool) => <RelativeTime at={pool.set_at} empty="" />, width: "100px" },
];

export function PoolsPage() {
  const set = useSetPool({ quiet: true });
  const mutate = ({ name, given }: { name: string; given: Given }, how: { onSuccess: () => void }) => set.mutate({ pool: name, given }, how);
  return (
    <Registry<Pool, Given>
      title="Pools & queue"
      noun="pool"
      about="A pool limits how many task runs hold it at once: @task(pool=&quot;warehouse&quot;)."
      command="batuta pools set warehouse 4"
      role="operator"
      list={serviceQueries.pools}
      columns={COLUMNS}
      initial={(pool) => ({ slots: pool?.slots ?? 4, description: pool?.description ?? "" })}
      save={{ mutate, isPending: set.isPending, error: set.error }}
      remove={useDeletePool()}
      keeps={(pool) => !pool.set_by}
      lost="It is as the configuration says from then on; if that says nothing, there is no limit."
      fields={({ given, set: change, errorOf }) => (
        <>
          <NumberInput required label="Slots" description="How many task runs hold it at once; 0 closes it" min={0} value={given.slots} onChange={(value) => change({ slots: Number(value) || 0 })} error={errorOf("slots")} />
          <TextInput label="Description" value={given.description} onChange={(event) => change({ description: event.currentTarget.value })} error={errorOf("description")} />
        </>
      )}
    >
      <QueueTable />
    </Registry>
  );
}
