import { describe, expect, it } from "vitest";
import { rowsOf, worstOf, type Cell } from "./grid";

const GRID = { steps: ["extract", "load.eu.a", "check", "load.eu.b", "load.us"], groups: { "load.eu.a": "load/eu", "load.eu.b": "load/eu", "load.us": "load" } };

function shown(closed: string[]): string[] {
  return rowsOf(GRID, new Set(closed)).map((row) => `${" ".repeat(row.depth)}${row.title}${row.kind === "group" ? ` (${row.steps.length})` : ""}`);
}

describe("rows", () => {
  it("stand together in their groups", () => {
    expect(shown([])).toEqual(["extract", "load (3)", " eu (2)", "  a", "  b", " us", "check"]);
  });

  it("are left out in closed groups, inner ones too", () => {
    expect(shown(["load/eu"])).toEqual(["extract", "load (3)", " eu (2)", " us", "check"]);
    expect(shown(["load"])).toEqual(["extract", "load (3)", "check"]);
  });
});

it("the state that asks for most stands for all", () => {
  const cell = (state: string) => ({ state }) as Cell;
  expect(worstOf([cell("succeeded"), undefined, cell("failed"), cell("running")])).toBe("failed");
  expect(worstOf([cell("succeeded"), cell("waiting")])).toBe("waiting");
  expect(worstOf([undefined])).toBeUndefined();
});
