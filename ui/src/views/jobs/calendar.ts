// A year of days in weeks. Pure.
import type { Schema } from "@/api/client";

export type Day = Schema<"CalendarDay">;

export interface Square {
  /** `2026-01-31`. */
  day: string;
  found?: Day;
}

const DAY_MS = 86_400_000;

/** Weeks from Monday to Sunday, oldest first, that end with the week of `today`; days after it are left out. */
export function weeksOf(days: readonly Day[], today: string, weeks = 53): Square[][] {
  const byDay = new Map(days.map((each) => [each.day, each]));
  const end = Date.parse(`${today}T00:00:00Z`);
  const weekday = (new Date(end).getUTCDay() + 6) % 7;
  const monday = end - weekday * DAY_MS - (weeks - 1) * 7 * DAY_MS;
  return Array.from({ length: weeks }, (_, week) =>
    Array.from({ length: 7 }, (_, at) => monday + (week * 7 + at) * DAY_MS)
      .filter((time) => time <= end)
      .map((time) => {
        const day = new Date(time).toISOString().slice(0, 10);
        return { day, found: byDay.get(day) };
      }),
  );
}

/** The state of a day: failed where anything has, else what most of its runs were. */
export function stateOf(counts: Record<string, number>): string {
  if (counts.failed) return "failed";
  return Object.entries(counts).sort(([, a], [, b]) => b - a)[0]?.[0] ?? "waiting";
}

/** The months above the weeks that they begin in. */
export function monthsOf(weeks: readonly Square[][]): { at: number; month: string }[] {
  const found: { at: number; month: string }[] = [];
  weeks.forEach((week, at) => {
    const first = week.find((square) => square.day.endsWith("-01")) ?? (at === 0 ? week[0] : undefined);
    if (first && (found.length === 0 || at - (found.at(-1)?.at ?? 0) > 2)) found.push({ at, month: first.day.slice(0, 7) });
  });
  return found;
}
