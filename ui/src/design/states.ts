// What every state looks like: never by colour alone, but an icon and a word with it.
import {
  Ban, Check, CircleDashed, CircleDot, CircleHelp, CirclePause, CircleSlash, Clock, CornerLeftUp, ExternalLink, History,
  Hourglass, LoaderCircle, Power, PowerOff, RotateCw, SkipForward, Timer, TriangleAlert, X, type LucideIcon,
} from "lucide-react";

export type Tone =
  | "green" | "red" | "blue" | "grey" | "orange" | "violet" | "amber" | "brown" | "slate" | "rust" | "teal"
  | "bronze" | "silver" | "gold";

export interface StateLook {
  label: string;
  tone: Tone;
  icon: LucideIcon;
  /** Something goes on: the icon turns. */
  moving?: boolean;
}

const LOOKS: Record<string, StateLook> = {
  // Runs and task runs (core/states.py)
  waiting: { label: "Waiting", tone: "grey", icon: CircleDashed },
  queued: { label: "Queued", tone: "grey", icon: Clock },
  running: { label: "Running", tone: "blue", icon: LoaderCircle, moving: true },
  retrying: { label: "Retrying", tone: "orange", icon: RotateCw },
  deferred: { label: "Deferred", tone: "violet", icon: Timer },
  paused: { label: "Paused", tone: "amber", icon: CirclePause },
  cancelling: { label: "Cancelling", tone: "brown", icon: LoaderCircle, moving: true },
  succeeded: { label: "Succeeded", tone: "green", icon: Check },
  failed: { label: "Failed", tone: "red", icon: X },
  skipped: { label: "Skipped", tone: "slate", icon: SkipForward },
  upstream_failed: { label: "Upstream failed", tone: "rust", icon: CornerLeftUp },
  cancelled: { label: "Cancelled", tone: "brown", icon: Ban },
  lost: { label: "Lost", tone: "orange", icon: TriangleAlert },
  // Assets and partitions
  fresh: { label: "Fresh", tone: "green", icon: Check },
  stale: { label: "Stale", tone: "amber", icon: History },
  missing: { label: "Missing", tone: "grey", icon: CircleDashed },
  external: { label: "External", tone: "slate", icon: ExternalLink },
  // Checks
  passed: { label: "Passed", tone: "green", icon: Check },
  warning: { label: "Warning", tone: "amber", icon: TriangleAlert },
  // Backfills and their items
  submitted: { label: "Submitted", tone: "blue", icon: CircleDot },
  // Ticks, tickers, alerts, locations, processes
  launched: { label: "Launched", tone: "green", icon: Check },
  on: { label: "On", tone: "green", icon: Power },
  off: { label: "Off", tone: "grey", icon: PowerOff },
  open: { label: "Open", tone: "red", icon: TriangleAlert },
  resolved: { label: "Resolved", tone: "green", icon: Check },
  ok: { label: "OK", tone: "green", icon: Check },
  error: { label: "Error", tone: "red", icon: X },
  info: { label: "Info", tone: "blue", icon: CircleDot },
  critical: { label: "Critical", tone: "red", icon: TriangleAlert },
  pending: { label: "Pending", tone: "grey", icon: Hourglass },
  disabled: { label: "Disabled", tone: "grey", icon: CircleSlash },
  revoked: { label: "Revoked", tone: "grey", icon: Ban },
  expired: { label: "Expired", tone: "grey", icon: Clock },
};

export const RUN_STATES = ["queued", "running", "paused", "cancelling", "succeeded", "failed", "cancelled"] as const;
export const RUN_FINAL: ReadonlySet<string> = new Set(["succeeded", "failed", "cancelled"]);
export const TASK_STATES = [
  "waiting", "queued", "running", "retrying", "deferred", "paused", "succeeded", "failed", "skipped",
  "upstream_failed", "cancelled",
] as const;
export const ASSET_STATES = ["fresh", "stale", "missing", "external"] as const;

/** How a state looks; one that is not known here is shown by its name. */
export function lookOf(state: string): StateLook {
  return LOOKS[state] ?? { label: state.replaceAll("_", " ") || "None", tone: "grey", icon: CircleHelp };
}

/** A tone's colour, for what is drawn: `fg`, `bg` or `solid`. */
export function colorOf(tone: Tone, part: "fg" | "bg" | "solid" = "solid"): string {
  return `var(--b-${tone}-${part})`;
}

export function stateColor(state: string, part: "fg" | "bg" | "solid" = "solid"): string {
  return colorOf(lookOf(state).tone, part);
}
