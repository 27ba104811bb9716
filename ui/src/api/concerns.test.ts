import document from "../../../docs/openapi.json";
import { describe, expect, it } from "vitest";
import { concerns, concernsOf, type LiveEvent } from "@/api/concerns";

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

describe("concernsOf", () => {
  it("knows every topic of the API", () => {
    const said = document.paths["/api/v1/events"].get.parameters.find((each) => each.name === "changes")?.description;
    const topics = [...(said?.split("Topics: ")[1] ?? "").matchAll(/`(\w+)`/g)].map(([, topic]) => topic ?? "");
    expect(topics).toContain("ticks");
    // Artifacts are shown with the run that made them, of which an event tells.
    expect(topics.filter((topic) => concernsOf([topic]).length === 0)).toEqual(["artifacts"]);
  });
});
