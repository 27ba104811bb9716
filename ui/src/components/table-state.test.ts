import { describe, expect, it } from "vitest";
import { locally, queryOf } from "@/components/table-state";

describe("what the server is asked for", () => {
  it("leaves out what is empty, and makes booleans of their words", () => {
    expect(queryOf({ text: "", state: [], failing: "true", enabled: "false", job: ["a"], sort: "-id" })).toEqual({
      failing: true, enabled: false, job: ["a"], sort: "-id",
    });
  });
});

describe("short lists", () => {
  const rows = [{ name: "b", at: null }, { name: "ab", at: "2026-01-02" }, { name: "a", at: "2026-01-01" }];
  const orders = { name: (row: (typeof rows)[0]) => row.name, at: (row: (typeof rows)[0]) => row.at };

  it("are found by all words, in any order", () => {
    expect(locally(rows, { text: "B A", sort: "name" }, (row) => row.name, orders).map((row) => row.name)).toEqual(["ab"]);
  });

  it("are ordered, and the other way round", () => {
    expect(locally(rows, { text: "", sort: "-name" }, (row) => row.name, orders).map((row) => row.name)).toEqual(["b", "ab", "a"]);
    expect(locally(rows, { text: "", sort: "at" }, (row) => row.name, orders).map((row) => row.name)).toEqual(["a", "ab", "b"]);
  });
});
