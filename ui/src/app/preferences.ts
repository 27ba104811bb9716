// What somebody has chosen in this browser: scheme, time zone, the width of the navigation, columns of tables.
// Kept in local storage, the same for all tabs.
import { useSyncExternalStore } from "react";

export type Scheme = "system" | "light" | "dark";

export interface Preferences {
  scheme: Scheme;
  /** An IANA name, or "local". */
  zone: string;
  narrow: boolean;
  /** Columns that are shown or hidden against the table's own choice, by table. */
  columns: Record<string, Record<string, boolean>>;
}

const PLACE = "batuta.preferences";
/** Read by public/theme.js before anything else is there. */
const SCHEME_PLACE = "batuta.scheme";
const DEFAULTS: Preferences = { scheme: "system", zone: "local", narrow: false, columns: {} };

let kept = read();
const watchers = new Set<() => void>();

function read(): Preferences {
  try {
    const known: unknown = JSON.parse(localStorage.getItem(PLACE) ?? "{}");
    const scheme = localStorage.getItem(SCHEME_PLACE);
    const chosen = scheme === "light" || scheme === "dark" ? scheme : "system";
    return { ...DEFAULTS, ...(typeof known === "object" ? known : {}), scheme: chosen };
  } catch {
    return DEFAULTS;
  }
}

export function preferences(): Preferences {
  return kept;
}

export function prefer(change: Partial<Preferences>): void {
  kept = { ...kept, ...change };
  try {
    localStorage.setItem(PLACE, JSON.stringify(kept));
    localStorage.setItem(SCHEME_PLACE, kept.scheme);
  } catch {
    // Without storage it holds until the page is left.
  }
  for (const watcher of watchers) watcher();
}

window.addEventListener("storage", (event) => {
  if (event.key === PLACE || event.key === SCHEME_PLACE) {
    kept = read();
    for (const watcher of watchers) watcher();
  }
});

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(watch, preferences);
}
