import { describe, expect, it } from "vitest";
import { fit, fitting, pageEntries, placeOf } from "@/app/palette/entries";

describe("the palette's entries", () => {
  it("wants all words, wherever they stand", () => {
    expect(fit("gold.revenue", "rev gold")).toBeGreaterThan(0);
    expect(fit("gold.revenue", "gold silver")).toBe(0);
  });

  it("puts what begins so first", () => {
    const found = fitting(pageEntries(), "s");
    expect(found[0]?.title.toLowerCase().startsWith("s")).toBe(true);
  });

  it("finds pages by other words", () => {
    expect(fitting(pageEntries(), "cron").map((entry) => entry.title)).toEqual(["Schedules"]);
    expect(fitting(pageEntries(), "tables").map((entry) => entry.title)).toEqual(["Catalog"]);
  });

  it("leads to what was found", () => {
    expect(placeOf({ kind: "asset", id: "gold/revenue", location: "shop" })).toEqual({ to: "/assets/$key", params: { key: "gold/revenue" } });
    expect(placeOf({ kind: "schedule", id: "nightly", location: "shop" }).params).toEqual({ location: "shop", name: "nightly" });
  });
});
