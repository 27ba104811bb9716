import { fireEvent, render, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { ConditionTree, isPart, type Part } from "./ConditionTree";

const PART: Part = {
  words: "all of",
  label: "eager",
  holds: { total: 365 },
  parts: [
    { words: "missing", holds: { total: 365, count: 1, ranges: [["2025-12-31", "2025-12-31"]] } },
    { words: "not", holds: { total: 365, count: 365 } },
    { words: "many", holds: { total: 365, count: 6, ranges: [1, 2, 3, 4, 5, 6].map((day) => [`d${day}`, `d${day}`] as [string, string]) } },
  ],
};

it("says of how many partitions each part is true, and of which", () => {
  render(<ConditionTree part={PART} />);
  expect(screen.getByText("eager")).toBeVisible();
  expect(screen.getByText("true of 0 of 365")).toBeVisible();
  expect(screen.getByText("true of 1 of 365: 2025-12-31")).toBeVisible();
  expect(screen.getByText("true of 365 of 365")).toBeVisible();
  fireEvent.click(screen.getByText("2 more"));
  expect(screen.getByText(/d1, d2, d3, d4, d5, d6/)).toBeVisible();
});

it("knows a condition from other details of a tick", () => {
  expect(isPart(PART)).toBe(true);
  expect(isPart({ words: "x" })).toBe(false);
  expect(isPart(null)).toBe(false);
});
