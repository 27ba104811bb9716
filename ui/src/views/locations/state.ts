import type { Location } from "@/api/service";
import { plural } from "@/app/format";

/** How a location is, as a state with its words. */
export function stateOf(location: Pick<Location, "error" | "problems">): { state: string; label: string } {
  if (location.error) return { state: "error", label: "Does not load" };
  if (location.problems.length) return { state: "warning", label: plural(location.problems.length, "error") };
  return { state: "ok", label: "Loaded" };
}
