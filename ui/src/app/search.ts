// The part of a URL after the `?`, as plain texts: a key that stands there several times has several. No JSON, so that
// people can read, write and shorten what they see.
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";

export type Search = Record<string, string | string[] | undefined>;

export function parseSearch(text: string): Search {
  const found: Search = {};
  for (const [key, value] of new URLSearchParams(text)) {
    const before = found[key];
    found[key] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
  }
  return found;
}

export function stringifySearch(search: Record<string, unknown>): string {
  const made = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    if (Array.isArray(value)) for (const each of value) made.append(key, String(each));
    else if (value !== undefined && value !== null && value !== "") made.append(key, String(value));
  }
  const text = made.toString();
  return text ? `?${text}` : "";
}

type Shape = Record<string, string | string[]>;

/** What a URL says, with the types of `defaults`, which also stand for what it does not say. */
export function withDefaults<S extends Shape>(search: Search, defaults: S): S {
  const found: Shape = {};
  for (const [key, usual] of Object.entries(defaults)) {
    const said = search[key];
    if (said === undefined) found[key] = usual;
    else if (Array.isArray(usual)) found[key] = Array.isArray(said) ? said : [said];
    else found[key] = Array.isArray(said) ? (said.at(-1) ?? usual) : said;
  }
  return found as S;
}

/** What is to stand in a URL: what is as usual does not. */
export function withoutDefaults<S extends Shape>(state: Partial<S>, defaults: S): Search {
  const kept: Search = {};
  for (const [key, value] of Object.entries(state)) {
    const usual = defaults[key];
    const same = Array.isArray(value) ? value.join("\n") === String((usual as string[])?.join("\n")) : value === usual;
    kept[key] = same ? undefined : value;
  }
  return kept;
}

/** State that lives in the URL. `defaults` has to stay the same between renders (a constant of the module).
 *
 * `set` changes some of it, in place of the entry in the history unless `push`.
 */
export function useUrlState<S extends Shape>(
  defaults: S,
): [S, (change: Partial<S>, options?: { push?: boolean }) => void] {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const state = useMemo(() => withDefaults(search, defaults), [search, defaults]);
  const set = useCallback(
    (change: Partial<S>, options: { push?: boolean } = {}) => {
      void navigate({
        to: ".",
        search: (before: Search) => ({ ...before, ...withoutDefaults(change, defaults) }),
        replace: !options.push,
        resetScroll: false,
      });
    },
    [navigate, defaults],
  );
  return [state, set];
}
