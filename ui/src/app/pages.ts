// The pages of the UI that one can go to: the navigation, the command palette and the keys all read this list.
import {
  Bell, Blocks, BookA, CalendarClock, Cable, CircleGauge, Clock3, Database, FileKey2, History, House, KeyRound, Layers, ListChecks,
  MapPin, Play, Radar, ScrollText, Settings, ShieldCheck, Users, Variable, Workflow, Zap, type LucideIcon,
} from "lucide-react";
import type { Role } from "@/api/access";

export interface AppPage {
  to: string;
  label: string;
  icon: LucideIcon;
  /** Other words that one may look for. */
  words?: string;
  /** After `g`. */
  key?: string;
  /** Shown to whoever has that role. */
  role?: Role;
}

export interface PageGroup {
  label: string;
  pages: AppPage[];
}

export const GROUPS: PageGroup[] = [
  { label: "", pages: [{ to: "/", label: "Home", icon: House, key: "h", words: "dashboard timeline overview" }] },
  {
    label: "Data",
    pages: [
      { to: "/lineage", label: "Lineage", icon: Workflow, key: "l", words: "graph" },
      { to: "/assets", label: "Catalog", icon: Database, key: "a", words: "assets tables" },
      { to: "/checks", label: "Checks", icon: ShieldCheck, key: "c", words: "quality" },
      { to: "/glossary", label: "Glossary", icon: BookA, words: "terms meaning words" },
    ],
  },
  {
    label: "Work",
    pages: [
      { to: "/jobs", label: "Jobs", icon: Blocks, key: "j", words: "flows dags" },
      { to: "/runs", label: "Runs", icon: Play, key: "r" },
      { to: "/backfills", label: "Backfills", icon: Layers, key: "b" },
    ],
  },
  {
    label: "Automation",
    pages: [
      { to: "/schedules", label: "Schedules", icon: CalendarClock, key: "s", words: "cron clock" },
      { to: "/sensors", label: "Sensors", icon: Radar },
      { to: "/automations", label: "Automations", icon: Zap, words: "conditions rules" },
      { to: "/ticks", label: "Ticks", icon: Clock3, words: "evaluations" },
    ],
  },
  {
    label: "Operations",
    pages: [
      { to: "/pools", label: "Pools & queue", icon: CircleGauge, key: "p", words: "limits slots" },
      { to: "/alerts", label: "Alerts", icon: Bell, words: "notifications" },
      { to: "/locations", label: "Locations", icon: MapPin, words: "code reload errors processes" },
    ],
  },
  {
    label: "Administration",
    pages: [
      { to: "/variables", label: "Variables", icon: Variable },
      { to: "/connections", label: "Connections", icon: Cable },
      { to: "/secrets", label: "Secrets", icon: FileKey2 },
      { to: "/tokens", label: "API tokens", icon: KeyRound },
      { to: "/accounts", label: "Accounts", icon: Users, role: "admin", words: "users roles" },
      { to: "/audit", label: "Audit log", icon: ScrollText, role: "admin", words: "history who" },
      { to: "/settings", label: "Settings", icon: Settings, words: "configuration store version time zone theme" },
    ],
  },
];

export const PAGES: AppPage[] = GROUPS.flatMap((group) => group.pages);

/** What a thing that was found is, and where it is. */
export const PLACES: Record<string, { icon: LucideIcon; label: string }> = {
  asset: { icon: Database, label: "Asset" },
  job: { icon: Blocks, label: "Job" },
  run: { icon: Play, label: "Run" },
  check: { icon: ListChecks, label: "Check" },
  schedule: { icon: CalendarClock, label: "Schedule" },
  location: { icon: MapPin, label: "Location" },
  term: { icon: BookA, label: "Term" },
  page: { icon: History, label: "Page" },
};
