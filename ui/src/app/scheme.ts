// The colour scheme that is shown: the chosen one, else the system's, also when that changes.
import { useSyncExternalStore } from "react";
import { prefer, type Scheme } from "@/app/preferences";

const system = window.matchMedia("(prefers-color-scheme: dark)");

function watch(watcher: () => void): () => void {
  system.addEventListener("change", watcher);
  return () => system.removeEventListener("change", watcher);
}

export function useScheme(chosen: Scheme): "light" | "dark" {
  const dark = useSyncExternalStore(watch, () => system.matches);
  return chosen === "system" ? (dark ? "dark" : "light") : chosen;
}

/** From what is shown now to the other one. */
export function toggleScheme(): void {
  const shown = document.documentElement.getAttribute("data-mantine-color-scheme");
  prefer({ scheme: shown === "dark" ? "light" : "dark" });
}
