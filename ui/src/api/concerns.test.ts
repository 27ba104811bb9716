import { describe, expect, it } from "vitest";
import { concerns, type LiveEvent } from "@/api/concerns";

function event(kind: string, run = 7): LiveEvent {
  return { id: 1, run, seq: 1, kind, at: "2026-01-31T12:00:00Z", task: null, data: {}, job: "nightly", location: "shop" };
}

describe("concerns", () => {
  it("is about the run alone where a task goes on", () => {
    expect(concerns([event("attempt_succeeded")])).toEqual([["runs", "one", 7]]);
  });

  it("is about lists where a run begins or ends", () => {
    const found = concerns([event("run_started")]);
    expect(found).toContainEqual(["runs", "list"]);
    expect(found).toContainEqual(["jobs"]);
    expect(found).not.toContainEqual(["assets"]);
  });

  it("is about assets and lineage where one was made", () => {
    const found = concerns([event("asset_materialized")]);
    expect(found).toContainEqual(["assets"]);
    expect(found).toContainEqual(["lineage"]);
  });

  it("says everything once, however many events there are", () => {
    const many = Array.from({ length: 500 }, (_, at) => event("attempt_succeeded", at % 2));
    expect(concerns(many)).toEqual([["runs", "one", 0], ["runs", "one", 1]]);
  });
});
