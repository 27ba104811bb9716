import { expect, it } from "vitest";
import { monthsOf, stateOf, weeksOf } from "./calendar";

it("weeks begin on Monday and end with today", () => {
  const weeks = weeksOf([{ day: "2026-01-31", counts: { succeeded: 2 }, run: 7 }], "2026-02-04", 3);
  expect(weeks.map((week) => week.length)).toEqual([7, 7, 3]);
  expect(weeks[0]?.[0]?.day).toBe("2026-01-19");
  expect(weeks[2]?.at(-1)?.day).toBe("2026-02-04");
  expect(weeks[1]?.[5]?.found?.run).toBe(7);
  expect(monthsOf(weeks).map((each) => each.month)).toEqual(["2026-01"]);
  expect(monthsOf(weeksOf([], "2026-02-04", 6)).map((each) => each.month)).toEqual(["2026-01", "2026-02"]);
});

it("a day on which something failed has failed", () => {
  expect(stateOf({ succeeded: 9, failed: 1 })).toBe("failed");
  expect(stateOf({ succeeded: 2, cancelled: 1 })).toBe("succeeded");
});
