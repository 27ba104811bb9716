import { describe, expect, it } from "vitest";
import { parseSearch, stringifySearch, withDefaults, withoutDefaults } from "@/app/search";

describe("the search part of URLs", () => {
  it.each(["", "?text=a+b", "?state=failed&state=running&text=x", "?selection=%2Bgold.revenue%2B"])("keeps %s", (text) => {
    expect(stringifySearch(parseSearch(text))).toBe(text);
  });

  it("leaves out what is empty", () => {
    expect(stringifySearch({ text: "", state: [], sort: undefined, job: "a" })).toBe("?job=a");
  });

  it("gives what is not said its usual value, and the right type", () => {
    const usual = { sort: "-id", state: [] as string[], text: "" };
    expect(withDefaults({ state: "failed", text: ["a", "b"] }, usual)).toEqual({ sort: "-id", state: ["failed"], text: "b" });
  });

  it("does not write what is as usual", () => {
    const usual = { sort: "-id", state: [] as string[] };
    expect(withoutDefaults({ sort: "-id", state: ["failed"] }, usual)).toEqual({ sort: undefined, state: ["failed"] });
    expect(withoutDefaults({ state: [] }, usual)).toEqual({ state: undefined });
  });
});
