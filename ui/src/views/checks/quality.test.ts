import { expect, it } from "vitest";
import { linesOf, shareGood, totalsOf } from "./quality";

const DAYS = [
  { day: "2026-01-02", layer: "gold", evaluated: 5, passed: 3, warned: 1, failed: 0, unknown: 1 },
  { day: "2026-01-01", layer: "gold", evaluated: 2, passed: 1, warned: 0, failed: 1, unknown: 0 },
  { day: "2026-01-02", layer: "bronze", evaluated: 1, passed: 0, warned: 0, failed: 0, unknown: 1 },
];

it("a line per layer, a point per day with verdicts that were able to tell", () => {
  const lines = linesOf(DAYS);
  expect(lines.x).toEqual([Date.UTC(2026, 0, 1) / 1000, Date.UTC(2026, 0, 2) / 1000]);
  expect(lines.layers).toEqual(["gold", "bronze"]);
  expect(lines.shares).toEqual([[50, 75], [null, null]]);
});

it("totals by layer", () => {
  const [gold, bronze] = totalsOf(DAYS);
  expect(gold).toEqual({ layer: "gold", evaluated: 7, passed: 4, warned: 1, failed: 1, unknown: 1 });
  expect(gold && shareGood(gold)).toBeCloseTo(4 / 6);
  expect(bronze && shareGood(bronze)).toBeNull();
});
