// Who is looking, what they may, and how one logs in.
import { queryOptions, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useAct } from "@/api/act";
import { call, client, type Schema } from "@/api/client";
import { keys } from "@/api/keys";
import { PAGE, pages, type Query } from "@/api/pages";

export type Me = Schema<"Me">;
export type Account = Schema<"Account">;
export type Token = Schema<"Token">;
export type Role = "viewer" | "operator" | "editor" | "admin";

export const ROLES: readonly Role[] = ["viewer", "operator", "editor", "admin"];
const ANYWHERE = "*";

export const accessQueries = {
  me: () =>
    queryOptions({
      queryKey: keys.me,
      queryFn: ({ signal }) => call(client.GET("/api/v1/me", { signal })),
      staleTime: 60_000,
    }),
  accounts: (filter: Query<"listAccounts"> = {}) =>
    pages([...keys.accounts, filter], (cursor, signal) =>
      call(client.GET("/api/v1/accounts", { params: { query: { limit: PAGE, ...filter, cursor } }, signal })),
    ),
  tokens: (filter: Query<"listTokens"> = {}) =>
    pages(keys.tokens.list(filter), (cursor, signal) =>
      call(client.GET("/api/v1/tokens", { params: { query: { limit: PAGE, ...filter, cursor } }, signal })),
    ),
};

/** Whether they have at least that role there. The server decides; this only spares a vain try. */
export function may(me: Pick<Me, "roles">, role: Role, location = ANYWHERE): boolean {
  const own = me.roles[location] ?? me.roles[ANYWHERE];
  return ROLES.indexOf(own as Role) >= ROLES.indexOf(role);
}

export function maySomewhere(me: Pick<Me, "roles">, role: Role): boolean {
  return Object.keys(me.roles).some((location) => may(me, role, location));
}

export function useMe(): Me | undefined {
  return useQuery(accessQueries.me()).data;
}

/** Whether whoever looks may do something: undefined while that is not known. `location` "?": at some location. */
export function useMay(role: Role, location?: string): boolean | undefined {
  const me = useMe();
  if (me === undefined) return undefined;
  return location === "?" ? maySomewhere(me, role) : may(me, role, location);
}

/** Nothing that somebody else was shown is kept. */
function becomes(queries: QueryClient, me: Me) {
  queries.removeQueries({ predicate: (query) => query.queryKey[0] !== keys.me[0] });
  queries.setQueryData(keys.me, me);
}

export function useLogIn() {
  const queries = useQueryClient();
  return useAct({
    act: async (login: Schema<"Login">) => {
      const me = await call(client.POST("/api/v1/login", { body: login }));
      becomes(queries, me);
      return me;
    },
    quiet: true,
  });
}

export function useLogOut() {
  const queries = useQueryClient();
  return useAct({
    act: async () => {
      const me = await call(client.POST("/api/v1/logout"));
      becomes(queries, me);
      return me;
    },
  });
}

export function useChangePassword() {
  return useAct({
    act: (given: Schema<"NewPassword">) => call(client.PUT("/api/v1/me/password", { body: given })),
    done: "The password is changed; other sessions of yours have ended",
    quiet: true,
  });
}

export function useMakeToken() {
  return useAct({
    act: (asked: Schema<"TokenAsked">) => call(client.POST("/api/v1/tokens", { body: asked })),
    changes: [keys.tokens.all],
    quiet: true,
  });
}

export function useRevokeToken() {
  return useAct({
    act: (token: number) => call(client.DELETE("/api/v1/tokens/{token_id}", { params: { path: { token_id: token } } })),
    changes: [keys.tokens.all],
    done: "The token is revoked",
  });
}

export function useSetAccount() {
  return useAct({
    act: ({ name, given }: { name: string; given: Schema<"AccountGiven"> }) =>
      call(client.PUT("/api/v1/accounts/{name}", { params: { path: { name } }, body: given })),
    changes: [keys.accounts, keys.me, keys.tokens.all],
    done: (saved) => `Account ${saved.name} is ${saved.new ? "made" : "changed"}`,
    quiet: true,
  });
}

export function useDeleteAccount() {
  return useAct({
    act: (name: string) => call(client.DELETE("/api/v1/accounts/{name}", { params: { path: { name } } })),
    changes: [keys.accounts, keys.tokens.all],
    done: (_, name) => `Account ${name} is deleted`,
  });
}
