import { describe, expect, it } from "vitest";
import { queryOf } from "@/components/table-state";

describe("what the server is asked for", () => {
  it("leaves out what is empty, and makes booleans of their words", () => {
    expect(queryOf({ text: "", state: [], failing: "true", enabled: "false", job: ["a"], sort: "-id" })).toEqual({
      failing: true, enabled: false, job: ["a"], sort: "-id",
    });
  });
});
