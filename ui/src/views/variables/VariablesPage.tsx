import { Textarea, TextInput } from "@mantine/core";
import { settingQueries, useDeleteVariable, useSetVariable, type Variable } from "@/api/settings";
import type { Column } from "@/components/DataTable";
import { RelativeTime } from "@/components/time";
import { Registry } from "@/views/registry/Registry";
import { textOf, valueOf } from "./value";

const COLUMNS: Column<Variable>[] = [
  { id: "name", header: "Variable", cell: (each) => each.name, sorts: ["name", "-name"], width: "24%", card: "head" },
  { id: "value", header: "Value", cell: (each) => <code>{textOf(each.value).slice(0, 200)}</code>, width: "26%" },
  { id: "description", header: "Description", cell: (each) => each.description },
  { id: "by", header: "Set by", cell: (each) => each.changed_by, width: "130px" },
  { id: "at", header: "Set", cell: (each) => <RelativeTime at={each.changed_at} />, sorts: ["-at", "at"], width: "100px" },
];

interface Given {
  text: string;
  description: string;
}

export function VariablesPage() {
  const set = useSetVariable();
  const mutate = ({ name, given }: { name: string; given: Given }, how: { onSuccess: () => void }) =>
    set.mutate({ name, given: { value: valueOf(given.text), description: given.description } }, how);
  return (
    <Registry<Variable, Given>
      title="Variables"
      noun="variable"
      about="A variable is a value that code asks for by name, and that can be changed without touching the code."
      command="batuta variables set NAME VALUE"
      role="editor"
      list={settingQueries.variables}
      columns={COLUMNS}
      initial={(item) => ({ text: item ? textOf(item.value) : "", description: item?.description ?? "" })}
      save={{ mutate, isPending: set.isPending, error: set.error }}
      remove={useDeleteVariable()}
      fields={({ given, set: change, errorOf }) => (
        <>
          <Textarea label="Value" description="JSON, or else a text" autosize minRows={2} maxRows={14} value={given.text} onChange={(event) => change({ text: event.currentTarget.value })} error={errorOf("value")} classNames={{ input: "b-mono" }} />
          <TextInput label="Description" value={given.description} onChange={(event) => change({ description: event.currentTarget.value })} error={errorOf("description")} />
        </>
      )}
    />
  );
}
