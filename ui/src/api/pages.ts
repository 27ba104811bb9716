// Lists that come in pages: `useInfiniteQuery` over the API's keyset cursors, and all their items as one list.
import { infiniteQueryOptions, type InfiniteData, type QueryKey } from "@tanstack/react-query";
import type { operations } from "@/api/schema";

export interface Page<Item> {
  items: Item[];
  next: string | null;
}

export const PAGE = 100;
/** So many at once, for those who choose among them (locations, accounts): as many as the API gives. */
export const ALL = 1000;

/** What an operation of the API can be asked for. */
export type Query<Name extends keyof operations> = operations[Name] extends { parameters: { query?: infer Q } }
  ? NonNullable<Q>
  : never;

/** The options of a list: `fetch` gets the cursor of the page (undefined: the first). */
export function pages<Item>(
  queryKey: QueryKey,
  fetch: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<Item>>,
  options: { refetchInterval?: number; enabled?: boolean } = {},
) {
  return infiniteQueryOptions({
    queryKey,
    queryFn: ({ pageParam, signal }) => fetch(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Page<Item>) => last.next ?? undefined,
    placeholderData: (before: InfiniteData<Page<Item>, string | undefined> | undefined) => before,
    ...options,
  });
}

/** The items of all pages that are there. */
export function itemsOf<Item>(data: InfiniteData<Page<Item>, unknown> | undefined): Item[] {
  return data?.pages.flatMap((page) => page.items) ?? [];
}
