import { expect, it } from "vitest";
import { askedOf, isWhole, type Entered } from "./entered";

const MONTH: Entered = { of: "assets", selection: " gold.a ", job: "nightly", partitions: "2025-03", first: "2025-03-01", last: "", every: "", mode: "missing", batch: 0, runsMax: 2, order: "newest", environment: " dev " };

it("of assets: partitions count, and nothing of a job", () => {
  expect(askedOf(MONTH)).toMatchObject({ selection: "gold.a", partitions: "2025-03", job: "", first: null, batch: 0, runs_max: 2, order: "newest", environment: "dev" });
  expect(isWhole(MONTH)).toBe(true);
  expect(isWhole({ ...MONTH, partitions: " " })).toBe(false);
});

it("of a job: times count, and nothing of assets", () => {
  const asked = askedOf({ ...MONTH, of: "job", last: "2025-03-31", every: "daily" });
  expect(asked).toMatchObject({ job: "nightly", first: "2025-03-01", last: "2025-03-31", every: "daily", selection: "", partitions: "" });
  expect(isWhole({ ...MONTH, of: "job", first: "" })).toBe(false);
});
