// Days of quality as lines of a chart. Pure.
import type { Schema } from "@/api/client";

type Day = Schema<"QualityDay">;

/** A share (in percent) by layer and day; null on days without a verdict. */
export function linesOf(days: readonly Day[]): { x: number[]; layers: string[]; shares: (number | null)[][] } {
  const all = [...new Set(days.map((day) => day.day))].sort();
  const layers = [...new Set(days.map((day) => day.layer))];
  const found = new Map(days.map((day) => [`${day.day} ${day.layer}`, day]));
  const share = (day: Day | undefined) => (day?.evaluated ? 100 * (1 - day.failed / day.evaluated) : null);
  return {
    x: all.map((day) => Date.parse(`${day}T00:00:00Z`) / 1000),
    layers,
    shares: layers.map((layer) => all.map((day) => share(found.get(`${day} ${layer}`)))),
  };
}

export function totalsOf(days: readonly Day[]): { layer: string; evaluated: number; failed: number }[] {
  const totals = new Map<string, { layer: string; evaluated: number; failed: number }>();
  for (const { layer, evaluated, failed } of days) {
    const total = totals.get(layer) ?? { layer, evaluated: 0, failed: 0 };
    totals.set(layer, { layer, evaluated: total.evaluated + evaluated, failed: total.failed + failed });
  }
  return [...totals.values()];
}
