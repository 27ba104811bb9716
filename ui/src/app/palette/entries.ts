// What the command palette offers: pages and actions by their words, and what the API's search finds. Pure.
import type { Found } from "@/api/service";
import { PAGES, PLACES, type AppPage } from "@/app/pages";
import type { LucideIcon } from "lucide-react";

export interface Entry {
  id: string;
  title: string;
  /** What it is, at the right. */
  kind: string;
  text?: string;
  icon: LucideIcon;
  state?: string;
  /** Where it leads; else `run`. */
  to?: { to: string; params?: Record<string, string>; search?: Record<string, string> };
  run?: () => void;
}

/** How well words fit: 0 not at all; all of them have to be there, at the beginning of words counts more. */
export function fit(text: string, asked: string): number {
  const words = asked.toLowerCase().split(/\s+/).filter(Boolean);
  const within = text.toLowerCase();
  let sum = 0;
  for (const word of words) {
    const at = within.indexOf(word);
    if (at < 0) return 0;
    sum += at === 0 ? 3 : /\W/.test(within[at - 1] ?? "") ? 2 : 1;
  }
  return sum || 1;
}

export function pageEntries(pages: readonly AppPage[] = PAGES): Entry[] {
  return pages.map((page) => ({
    id: `page:${page.to}`,
    title: page.label,
    kind: "Page",
    text: page.words,
    icon: page.icon,
    to: { to: page.to },
  }));
}

/** Those that fit, the best first. */
export function fitting(entries: readonly Entry[], asked: string): Entry[] {
  if (!asked.trim()) return [...entries];
  return entries
    .map((entry) => ({ entry, fit: fit(entry.title, asked) * 2 || fit(`${entry.title} ${entry.text ?? ""}`, asked) }))
    .filter((each) => each.fit > 0)
    .sort((a, b) => b.fit - a.fit)
    .map((each) => each.entry);
}

/** Where something that was found is shown. */
export function placeOf(found: Pick<Found, "kind" | "id" | "location">): NonNullable<Entry["to"]> {
  switch (found.kind) {
    case "asset":
      return { to: "/assets/$key", params: { key: found.id } };
    case "job":
      return { to: "/jobs/$job", params: { job: found.id } };
    case "run":
      return { to: "/runs/$run", params: { run: found.id } };
    case "location":
      return { to: "/locations/$location", params: { location: found.id } };
    case "schedule":
      return { to: "/schedules/$location/$name", params: { location: found.location, name: found.id } };
    case "check":
      return { to: "/checks", search: { text: found.id } };
    case "term":
      return { to: "/glossary", search: { text: found.id } };
  }
}

export function foundEntries(found: readonly Found[]): Entry[] {
  return found.map((each) => {
    const place = PLACES[each.kind];
    return {
      id: `${each.kind}:${each.location}:${each.id}`,
      title: each.title,
      kind: place?.label ?? each.kind,
      text: each.text,
      icon: place?.icon ?? PAGES[0]!.icon,
      state: each.kind === "run" || each.kind === "asset" ? each.state : undefined,
      to: placeOf(each),
    };
  });
}
