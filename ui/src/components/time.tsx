// Times and durations as they are shown everywhere.
import { useNow } from "@/app/clock";
import { absoluteText, clockText, durationText, minuteText, relativeText } from "@/app/format";
import { usePreferences } from "@/app/preferences";

type Moment = string | number | null | undefined;

function millis(at: Moment): number | undefined {
  if (at === null || at === undefined || at === "") return undefined;
  const found = typeof at === "number" ? at : Date.parse(at);
  return Number.isNaN(found) ? undefined : found;
}

/** How long ago, or in how long; when exactly is its title. */
export function RelativeTime({ at, empty = "–" }: { at: Moment; empty?: string }) {
  const { zone } = usePreferences();
  const when = millis(at);
  const now = useNow(when !== undefined && Math.abs(Date.now() - when) < 120_000 ? 1_000 : 30_000);
  if (when === undefined) return <span className="b-dim">{empty}</span>;
  return (
    <time dateTime={new Date(when).toISOString()} title={absoluteText(when, zone)}>
      {relativeText(when, now)}
    </time>
  );
}

/** When exactly, in the zone that was chosen. `show`: the whole, to the minute, or the time of day alone. */
export function AbsoluteTime({ at, show = "whole" }: { at: Moment; show?: "whole" | "minute" | "clock" }) {
  const { zone } = usePreferences();
  const when = millis(at);
  if (when === undefined) return <span className="b-dim">–</span>;
  const whole = absoluteText(when, zone);
  const text = show === "whole" ? whole : show === "minute" ? minuteText(when, zone) : clockText(when, zone, true);
  return (
    <time dateTime={new Date(when).toISOString()} title={whole}>
      {text}
    </time>
  );
}

/** Seconds in words; with `since` in place of `seconds` it counts on. */
export function Duration({ seconds, since }: { seconds?: number | null; since?: Moment }) {
  const from = seconds === null || seconds === undefined ? millis(since) : undefined;
  if (from !== undefined) return <Counting from={from} />;
  if (seconds === null || seconds === undefined) return <span className="b-dim">–</span>;
  return <span title={`${seconds.toFixed(3)} s`}>{durationText(seconds)}</span>;
}

function Counting({ from }: { from: number }) {
  const now = useNow();
  return <span>{durationText(Math.max(0, Math.round((now - from) / 1000)))}</span>;
}
