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
