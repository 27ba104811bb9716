// From a query of pages to the props of a DataTable.
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { itemsOf, type Page } from "@/api/pages";

type Query<Row> = UseInfiniteQueryResult<InfiniteData<Page<Row>, unknown>>;

/** `<DataTable {...tableOf(query)} ... />`: rows, the next page, what went wrong. */
export function tableOf<Row>(query: Query<Row>) {
  return {
    rows: query.data ? itemsOf(query.data) : undefined,
    more: { has: query.hasNextPage, busy: query.isFetchingNextPage, fetch: () => void query.fetchNextPage() },
    error: query.error,
    retry: () => void query.refetch(),
  };
}
