import { NumberInput, PasswordInput, TextInput } from "@mantine/core";
import { settingQueries, useDeleteConnection, useSetConnection, type Connection } from "@/api/settings";
import type { Schema } from "@/api/client";
import type { Column } from "@/components/DataTable";
import { Tag } from "@/components/StateBadge";
import { RelativeTime } from "@/components/time";
import classes from "@/views/registry/registry.module.css";
import { Registry } from "@/views/registry/Registry";

type Given = Schema<"ConnectionGiven">;

const COLUMNS: Column<Connection>[] = [
  { id: "name", header: "Connection", cell: (each) => each.name, sorts: ["name", "-name"], width: "26%", card: "head" },
  { id: "kind", header: "Kind", cell: (each) => <Tag>{each.kind}</Tag>, width: "130px", card: "head" },
  { id: "description", header: "Description", cell: (each) => each.description },
  { id: "by", header: "Set by", cell: (each) => each.changed_by, width: "140px" },
  { id: "at", header: "Set", cell: (each) => <RelativeTime at={each.changed_at} />, sorts: ["-at", "at"], width: "110px" },
];
const EMPTY: Given = { url: "", kind: "", host: "", port: null, user: "", password: "", database: "", extra: {}, description: "" };

export function ConnectionsPage() {
  return (
    <Registry<Connection, Given>
      title="Connections"
      noun="connection"
      about="A connection is where something is reached, with the login for it: code asks for it by name."
      command="batuta connections set NAME postgresql://user@host/database"
      role="admin"
      list={settingQueries.connections}
      columns={COLUMNS}
      initial={(item) => ({ ...EMPTY, kind: item?.kind ?? "", description: item?.description ?? "" })}
      save={useSetConnection()}
      remove={useDeleteConnection()}
      fields={({ given, set, errorOf, isNew }) => (
        <>
          {!isNew && <p className="b-dim">What is kept is not shown: a change replaces all of it.</p>}
          <TextInput label="URL" description="kind://user:password@host:port/database; or the parts below" value={given.url} onChange={(event) => set({ url: event.currentTarget.value })} error={errorOf("url")} />
          <TextInput label="Kind" placeholder="postgresql, duckdb, http, s3, smtp" value={given.kind} onChange={(event) => set({ kind: event.currentTarget.value })} error={errorOf("kind")} />
          <div className={classes.pair}>
            <TextInput label="Host" value={given.host} onChange={(event) => set({ host: event.currentTarget.value })} error={errorOf("host")} />
            <NumberInput label="Port" hideControls value={given.port ?? ""} onChange={(value) => set({ port: value === "" ? null : Number(value) })} error={errorOf("port")} />
          </div>
          <TextInput label="User" autoComplete="off" value={given.user} onChange={(event) => set({ user: event.currentTarget.value })} error={errorOf("user")} />
          <PasswordInput label="Password" description="It is encrypted, and never shown again" autoComplete="new-password" value={given.password} onChange={(event) => set({ password: event.currentTarget.value })} error={errorOf("password")} />
          <TextInput label="Database" value={given.database} onChange={(event) => set({ database: event.currentTarget.value })} error={errorOf("database")} />
          <TextInput label="Description" value={given.description} onChange={(event) => set({ description: event.currentTarget.value })} error={errorOf("description")} />
        </>
      )}
    />
  );
}
