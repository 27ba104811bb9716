import { describe, expect, it } from "vitest";
import { schedulesOf } from "./next";

const time = (schedule: string, at: string) => ({ schedule, location: "shop", job: "load", selection: "", at });

describe("schedulesOf", () => {
  it("is a line for each schedule, however often it fires", () => {
    const found = schedulesOf([time("often", "12:00"), time("often", "12:01"), time("nightly", "12:02"), time("often", "12:02")]);
    expect(found.map(({ first, later }) => [first.schedule, later.map(({ at }) => at)])).toEqual([
      ["often", ["12:01", "12:02"]],
      ["nightly", []],
    ]);
  });

  it("keeps schedules of one name at two locations apart", () => {
    const other = { ...time("nightly", "12:01"), location: "bank" };
    expect(schedulesOf([time("nightly", "12:00"), other])).toHaveLength(2);
  });
});
