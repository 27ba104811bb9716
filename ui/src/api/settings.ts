// Variables, connections, secrets, the audit log, and how the installation is set up.
import { queryOptions } from "@tanstack/react-query";
import { useAct } from "@/api/act";
import { call, client, type Schema } from "@/api/client";
import { keys } from "@/api/keys";
import { PAGE, pages, type Query } from "@/api/pages";

export type Variable = Schema<"Variable">;
export type Connection = Schema<"Connection">;
export type Secret = Schema<"Secret">;
export type AuditEntry = Schema<"AuditEntry">;
export type AuditFilter = Query<"listAudit">;

export const settingQueries = {
  settings: () =>
    queryOptions({
      queryKey: keys.settings,
      queryFn: ({ signal }) => call(client.GET("/api/v1/settings", { signal })),
      staleTime: 60_000,
    }),
  variables: (filter: Query<"listVariables"> = {}) =>
    pages([...keys.variables, filter], (cursor, signal) =>
      call(client.GET("/api/v1/variables", { params: { query: { limit: PAGE, ...filter, cursor } }, signal })),
    ),
  connections: (filter: Query<"listConnections"> = {}) =>
    pages([...keys.connections, filter], (cursor, signal) =>
      call(client.GET("/api/v1/connections", { params: { query: { limit: PAGE, ...filter, cursor } }, signal })),
    ),
  secrets: (filter: Query<"listSecrets"> = {}) =>
    pages([...keys.secrets, filter], (cursor, signal) =>
      call(client.GET("/api/v1/secrets", { params: { query: { limit: PAGE, ...filter, cursor } }, signal })),
    ),
  audit: (filter: AuditFilter = {}) =>
    pages(keys.audit.list(filter), (cursor, signal) =>
      call(client.GET("/api/v1/audit", { params: { query: { limit: PAGE, ...filter, cursor } }, signal })),
    ),
};

const named = (name: string) => ({ path: { name } });

export function useSetVariable() {
  return useAct({
    act: ({ name, given }: { name: string; given: Schema<"VariableGiven"> }) =>
      call(client.PUT("/api/v1/variables/{name}", { params: named(name), body: given })),
    changes: [keys.variables],
    done: (saved) => `Variable ${saved.name} is ${saved.new ? "made" : "changed"}`,
    quiet: true,
  });
}

export function useDeleteVariable() {
  return useAct({
    act: (name: string) => call(client.DELETE("/api/v1/variables/{name}", { params: named(name) })),
    changes: [keys.variables],
    done: (_, name) => `Variable ${name} is deleted`,
  });
}

export function useSetConnection() {
  return useAct({
    act: ({ name, given }: { name: string; given: Schema<"ConnectionGiven"> }) =>
      call(client.PUT("/api/v1/connections/{name}", { params: named(name), body: given })),
    changes: [keys.connections],
    done: (saved) => `Connection ${saved.name} is ${saved.new ? "made" : "changed"}`,
    quiet: true,
  });
}

export function useDeleteConnection() {
  return useAct({
    act: (name: string) => call(client.DELETE("/api/v1/connections/{name}", { params: named(name) })),
    changes: [keys.connections],
    done: (_, name) => `Connection ${name} is deleted`,
  });
}

export function useSetSecret() {
  return useAct({
    act: ({ name, given }: { name: string; given: Schema<"SecretGiven"> }) =>
      call(client.PUT("/api/v1/secrets/{name}", { params: named(name), body: given })),
    changes: [keys.secrets],
    done: (saved) => `Secret ${saved.name} is ${saved.new ? "made" : "changed"}`,
    quiet: true,
  });
}

export function useDeleteSecret() {
  return useAct({
    act: (name: string) => call(client.DELETE("/api/v1/secrets/{name}", { params: named(name) })),
    changes: [keys.secrets],
    done: (_, name) => `Secret ${name} is deleted`,
  });
}
