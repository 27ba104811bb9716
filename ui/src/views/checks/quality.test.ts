import { expect, it } from "vitest";
import { linesOf, totalsOf } from "./quality";

const DAYS = [
  { day: "2026-01-02", layer: "gold", evaluated: 4, failed: 1 },
  { day: "2026-01-01", layer: "gold", evaluated: 2, failed: 0 },
  { day: "2026-01-02", layer: "bronze", evaluated: 0, failed: 0 },
];

it("a line per layer, a point per day with verdicts", () => {
  const lines = linesOf(DAYS);
  expect(lines.x).toEqual([Date.UTC(2026, 0, 1) / 1000, Date.UTC(2026, 0, 2) / 1000]);
  expect(lines.layers).toEqual(["gold", "bronze"]);
  expect(lines.shares).toEqual([[100, 75], [null, null]]);
  expect(totalsOf(DAYS)).toEqual([{ layer: "gold", evaluated: 6, failed: 1 }, { layer: "bronze", evaluated: 0, failed: 0 }]);
});
