import { PasswordInput, TextInput } from "@mantine/core";
import { settingQueries, useDeleteSecret, useSetSecret, type Secret } from "@/api/settings";
import type { Schema } from "@/api/client";
import type { Column } from "@/components/DataTable";
import { RelativeTime } from "@/components/time";
import { Registry } from "@/views/registry/Registry";

const COLUMNS: Column<Secret>[] = [
  { id: "name", header: "Secret", cell: (each) => each.name, sorts: ["name", "-name"], width: "30%", card: "head" },
  { id: "description", header: "Description", cell: (each) => each.description },
  { id: "by", header: "Set by", cell: (each) => each.changed_by, width: "140px" },
  { id: "at", header: "Set", cell: (each) => <RelativeTime at={each.changed_at} />, sorts: ["-at", "at"], width: "110px" },
];

export function SecretsPage() {
  return (
    <Registry<Secret, Schema<"SecretGiven">>
      title="Secrets"
      noun="secret"
      about="A secret is encrypted, masked in all logs, and never shown again: not here, and not by the API."
      command="batuta secrets set NAME"
      role="admin"
      list={settingQueries.secrets}
      columns={COLUMNS}
      initial={(item) => ({ value: "", description: item?.description ?? "" })}
      save={useSetSecret()}
      remove={useDeleteSecret()}
      fields={({ given, set, errorOf, isNew }) => (
        <>
          <PasswordInput required label={isNew ? "Value" : "New value"} autoComplete="new-password" value={given.value} onChange={(event) => set({ value: event.currentTarget.value })} error={errorOf("value")} />
          <TextInput label="Description" value={given.description} onChange={(event) => set({ description: event.currentTarget.value })} error={errorOf("description")} />
        </>
      )}
    />
  );
}
