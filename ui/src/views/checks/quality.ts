// Days of quality as lines of a chart. Pure.
import type { Schema } from "@/api/client";

type Day = Schema<"QualityDay">;

/** The share that passed of the verdicts that were able to tell; null where none was. */
export function shareGood({ evaluated, passed, unknown }: Pick<Day, "evaluated" | "passed" | "unknown">): number | null {
  return evaluated > unknown ? passed / (evaluated - unknown) : null;
}

/** A share (in percent) by layer and day; null on days without a verdict. */
export function linesOf(days: readonly Day[]): { x: number[]; layers: string[]; shares: (number | null)[][] } {
  const all = [...new Set(days.map((day) => day.day))].sort();
  const layers = [...new Set(days.map((day) => day.layer))];
  const found = new Map(days.map((day) => [`${day.day} ${day.layer}`, day]));
  const share = (day: Day | undefined) => {
    const good = day ? shareGood(day) : null;
    return good === null ? null : 100 * good;
  };
  return {
    x: all.map((day) => Date.parse(`${day}T00:00:00Z`) / 1000),
    layers,
    shares: layers.map((layer) => all.map((day) => share(found.get(`${day} ${layer}`)))),
  };
}

export type Totals = Omit<Day, "day">;
const COUNTS = ["evaluated", "passed", "warned", "failed", "unknown"] as const;

export function totalsOf(days: readonly Day[]): Totals[] {
  const totals = new Map<string, Totals>();
  for (const day of days) {
    const total = totals.get(day.layer) ?? { layer: day.layer, evaluated: 0, passed: 0, warned: 0, failed: 0, unknown: 0 };
    for (const name of COUNTS) total[name] += day[name];
    totals.set(day.layer, total);
  }
  return [...totals.values()];
}
