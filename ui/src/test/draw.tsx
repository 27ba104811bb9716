// Draws a component as the app would: theme, queries, a router with the routes' URLs, and an API that gives what the
// test says it does.
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRootRoute, createRoute, createRouter, Outlet, RouterProvider } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { vi } from "vitest";
import { parseSearch, stringifySearch, type Search } from "@/app/search";
import { theme } from "@/design/theme";

interface Answer {
  status?: number;
  body: unknown;
}

export interface Asked {
  method: string;
  /** Path and search: `/api/v1/runs?limit=100`. */
  url: string;
  body: unknown;
  headers: Headers;
}

interface Options {
  /** Where the browser is. */
  at?: string;
  /** The route that it matches: `/runs/$run`. */
  route?: string;
  /** What the API says: by `GET /api/v1/runs`, the path without what follows the `?`. */
  answers?: Record<string, unknown | ((asked: Asked) => unknown)>;
}

/** An answer that is not a plain 200. */
export function status(code: number, body: unknown): Answer {
  return { status: code, body };
}

export async function draw(element: ReactNode, { at = "/", route = "/$", answers = {} }: Options = {}) {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const url = new URL(request.url);
    const text = request.method === "GET" ? "" : await request.clone().text();
    const one = { method: request.method, url: url.pathname + url.search, body: text ? JSON.parse(text) : undefined, headers: request.headers };
    asked.push(one);
    const found = answers[`${request.method} ${url.pathname}`];
    if (found === undefined) throw new TypeError(`the test says nothing of ${request.method} ${url.pathname}`);
    const said = typeof found === "function" ? (found as (asked: Asked) => unknown)(one) : found;
    const answer = said !== null && typeof said === "object" && "status" in said && "body" in said ? (said as Answer) : { body: said };
    return new Response(JSON.stringify(answer.body), { status: answer.status ?? 200, headers: { "content-type": "application/json" } });
  });
  const root = createRootRoute({ component: Outlet, validateSearch: (search: Record<string, unknown>) => search as Search });
  const page = createRoute({ getParentRoute: () => root, path: route, component: () => <>{element}</> });
  const index = createRoute({ getParentRoute: () => root, path: "/", component: () => <>{element}</> });
  const router = createRouter({
    routeTree: root.addChildren(route === "/" ? [index] : [index, page]),
    history: createMemoryHistory({ initialEntries: [at] }),
    parseSearch,
    stringifySearch,
  });
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  await router.load();
  const drawn = render(
    <MantineProvider theme={theme} env="test">
      <QueryClientProvider client={queries}>
        <RouterProvider router={router as never} />
        <Notifications />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { ...drawn, user: userEvent.setup(), router, queries, asked, place: () => router.state.location.href };
}
