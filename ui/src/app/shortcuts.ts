// Keys: `mod+k`, `g r` (one after the other), `?`. Whoever is on the page says which keys it hears; the help dialog shows
// what is heard right now. Nothing is heard while somebody types, but for keys with `mod`.
import { useEffect, useRef, useSyncExternalStore } from "react";

export interface Shortcut {
  keys: string;
  label: string;
  /** The heading in the help dialog. */
  group: string;
}

interface Heard extends Shortcut {
  run: () => void;
}

const SECOND_MS = 1_200;

const heard = new Set<Heard>();
const watchers = new Set<() => void>();
let shown: readonly Shortcut[] = [];
let first = "";
let firstAt = 0;

function changed() {
  shown = [...heard];
  for (const watcher of watchers) watcher();
}

/** Hear a key while the component is there. Without `keys` nothing is heard. */
export function useShortcut(keys: string | undefined, label: string, run: () => void, group = "This page"): void {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    if (!keys) return;
    const entry: Heard = { keys, label, group, run: () => latest.current() };
    heard.add(entry);
    changed();
    return () => {
      heard.delete(entry);
      changed();
    };
  }, [keys, label, group]);
}

export function useShortcuts(): readonly Shortcut[] {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => shown,
  );
}

/** What a key press is called: `mod+k`, `?`, `r`. */
export function nameOf(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">): string {
  if (event.altKey) return "";
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return event.ctrlKey || event.metaKey ? `mod+${key}` : key;
}

export function handle(event: KeyboardEvent): void {
  const name = nameOf(event);
  const element = event.target instanceof HTMLElement ? event.target : undefined;
  const typing = element?.closest("input, textarea, select, [contenteditable=true]");
  if (!name || (!name.startsWith("mod+") && (typing || document.querySelector("[role=dialog]")))) return;
  const pair = first && event.timeStamp - firstAt < SECOND_MS ? `${first} ${name}` : "";
  const found = [...heard].findLast((each) => each.keys === pair) ?? [...heard].findLast((each) => each.keys === name);
  first = found ? "" : name;
  firstAt = event.timeStamp;
  if (!found) return;
  event.preventDefault();
  found.run();
}

/** `Ctrl`, or `⌘` where that is the custom. */
export const MOD = /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘" : "Ctrl";

/** The keys one by one, as they stand on a keyboard. */
export function keysOf(keys: string): string[] {
  return keys.split(/[ +]/).map((key) => (key === "mod" ? MOD : key.length === 1 ? key.toUpperCase() : key));
}
