import { expect, it } from "vitest";
import { cellAt, gridOf, sharesOf, wordsOf, type Cell } from "./heat";

const MIXED: Cell = { first: "a", last: "d", count: 4, counts: { fresh: 3, failed: 1, stale: 0, missing: 0 } };

it("cells stand in lines that fit the width", () => {
  expect(gridOf(365, 800)).toEqual({ columns: 50, rows: 8, size: 16 });
  expect(gridOf(10_000, 900)).toEqual({ columns: 100, rows: 100, size: 9 });
  expect(gridOf(1, 5).columns).toBe(1);
});

it("a point is in the cell that is drawn there", () => {
  const grid = gridOf(365, 800);
  expect(cellAt(grid, 365, 0, 0)).toBe(0);
  expect(cellAt(grid, 365, 17, 17)).toBe(51);
  expect(cellAt(grid, 365, 799, 127)).toBeUndefined();
  expect(cellAt(grid, 365, 801, 0)).toBeUndefined();
});

it("a cell shows its states by their shares", () => {
  expect(sharesOf(MIXED)).toEqual([["failed", 0.25], ["fresh", 0.75]]);
  expect(wordsOf(MIXED)).toBe("a … d: 1 failed, 3 fresh");
  expect(wordsOf({ ...MIXED, last: "a", count: 1, counts: { stale: 1 } })).toBe("a: stale");
});
