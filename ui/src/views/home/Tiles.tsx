// The numbers that matter, each a link to what it counts.
import { Link, type LinkProps } from "@tanstack/react-router";
import { Bell, CirclePause, Clock, LoaderCircle, History, ShieldAlert, Turtle, X, Check, type LucideIcon } from "lucide-react";
import type { Home } from "@/api/service";
import { countText } from "@/app/format";
import type { Tone } from "@/design/states";
import classes from "./home.module.css";

interface Tile {
  label: string;
  value: number;
  icon: LucideIcon;
  /** Its tone when it is not 0; 0 is grey. */
  tone: Tone;
  link: Pick<LinkProps, "to" | "search">;
  /** Left out while it is 0. */
  rare?: boolean;
}

export function tilesOf(home: Home): Tile[] {
  const unfinished = (state: string) => home.counts[state] ?? 0;
  const ended = (state: string) => home.last_day[state] ?? 0;
  return [
    { label: "Running", value: unfinished("running") + unfinished("cancelling"), icon: LoaderCircle, tone: "blue", link: { to: "/runs", search: { state: ["running", "cancelling"] } } },
    { label: "Queued", value: unfinished("queued"), icon: Clock, tone: "grey", link: { to: "/pools" } },
    { label: "Failed, 24 h", value: ended("failed"), icon: X, tone: "red", link: { to: "/runs", search: { state: "failed", within: "24h" } } },
    { label: "Succeeded, 24 h", value: ended("succeeded"), icon: Check, tone: "green", link: { to: "/runs", search: { state: "succeeded", within: "24h" } } },
    { label: "Ask a person", value: unfinished("paused"), icon: CirclePause, tone: "amber", link: { to: "/runs", search: { state: "paused" } }, rare: true },
    { label: "Late", value: home.late.length, icon: Turtle, tone: "orange", link: { to: "/runs", search: { state: "running" } }, rare: true },
    { label: "Stale assets", value: home.assets.stale ?? 0, icon: History, tone: "amber", link: { to: "/assets", search: { state: "stale" } } },
    { label: "Checks fail", value: home.checks_failed, icon: ShieldAlert, tone: "red", link: { to: "/checks", search: { passed: "false" } } },
    { label: "Open alerts", value: home.alerts_open, icon: Bell, tone: "red", link: { to: "/alerts", search: { open: "true" } } },
  ];
}

export function Tiles({ home }: { home: Home }) {
  return (
    <ul className={classes.tiles}>
      {tilesOf(home).map((tile) =>
        tile.rare && tile.value === 0 ? null : (
          <li key={tile.label}>
            <Link {...tile.link} className={`b-card ${classes.tile}`} data-zero={tile.value === 0 || undefined}>
              <span className={classes.icon} style={tile.value ? { color: `var(--b-${tile.tone}-fg)`, background: `var(--b-${tile.tone}-bg)` } : undefined}>
                <tile.icon size={15} aria-hidden />
              </span>
              <span>
                <b>{countText(tile.value, true)}</b>
                <small>{tile.label}</small>
              </span>
            </Link>
          </li>
        ),
      )}
    </ul>
  );
}
