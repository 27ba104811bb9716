// What a list is asked for - text, filters, order - as it stands in the URL. `useListState` and the API's own names:
// `filters.state` is the query parameter `state`.
import { useMemo } from "react";
import { useUrlState } from "@/app/search";

export interface ListDefaults {
  sort: string;
  /** Filters and their usual values: a text, or several. */
  filters: Record<string, string | string[]>;
}

export interface ListState {
  text: string;
  sort: string;
  filters: Record<string, string | string[]>;
  /** Whether something is filtered: an empty list then means something else. */
  filtered: boolean;
  setText: (text: string) => void;
  setSort: (sort: string) => void;
  setFilter: (name: string, value: string | string[]) => void;
  clear: () => void;
  /** All that is set, by the names of the API; what is empty is left out. `"true"` and `"false"` are booleans. */
  // The API's own types say what a filter may be; a URL says anything, and the server then what is wrong with it.
  query: Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any
}

/** `defaults` has to stay the same between renders (a constant of the module). */
export function useListState(defaults: ListDefaults): ListState {
  const shape = useMemo(() => ({ text: "", sort: defaults.sort, ...defaults.filters }), [defaults]);
  const [state, set] = useUrlState(shape as Record<string, string | string[]>);
  return useMemo(() => {
    const { text = "", sort = "", ...filters } = state;
    return {
      text: String(text),
      sort: String(sort),
      filters,
      filtered: text !== "" || Object.keys(filters).some((name) => !same(filters[name], defaults.filters[name])),
      setText: (value) => set({ text: value }),
      setSort: (value) => set({ sort: value }),
      setFilter: (name, value) => set({ [name]: value }),
      clear: () => set({ text: "", ...defaults.filters }),
      query: queryOf({ text, sort, ...filters }),
    };
  }, [state, set, defaults]);
}

function same(a: string | string[] | undefined, b: string | string[] | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export function queryOf(state: Record<string, string | string[]>): Record<string, unknown> {
  const query: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(state)) {
    if (value === "" || (Array.isArray(value) && value.length === 0)) continue;
    query[name] = value === "true" ? true : value === "false" ? false : value;
  }
  return query;
}

/** What is said by a short list that comes whole (variables, pools): found and ordered here, by the same state. */
export function locally<Row>(
  rows: readonly Row[],
  list: Pick<ListState, "text" | "sort">,
  textOf: (row: Row) => string,
  orders: Record<string, (row: Row) => string | number | null | undefined>,
): Row[] {
  const words = list.text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = rows.filter((row) => {
    const text = textOf(row).toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const order = orders[list.sort.replace(/^-/, "")];
  if (!order) return found;
  const sign = list.sort.startsWith("-") ? -1 : 1;
  return found.sort((a, b) => sign * compare(order(a), order(b)));
}

function compare(a: string | number | null | undefined, b: string | number | null | undefined): number {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1;
  if (b === null || b === undefined) return -1;
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
}
