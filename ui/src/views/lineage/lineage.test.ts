import { describe, expect, it } from "vitest";
import {
  facesOf,
  groupKeysOf,
  groupOf,
  lanesOf,
  only,
  OTHER,
  quoted,
  selectionOf,
  SOURCES,
  type Lineage,
  type LineageNode,
} from "./lineage";

function node(id: string, more: Partial<LineageNode> = {}): LineageNode {
  return {
    id,
    kind: "asset",
    label: id,
    layer: "",
    group: "",
    job: "",
    location: "shop",
    external: false,
    state: "fresh",
    kinds: [],
    partitions: null,
    counts: {},
    checks: 0,
    checks_failed: 0,
    materialized_at: null,
    run: null,
    elsewhere: "",
    ...more,
  } as LineageNode;
}

function graph(nodes: LineageNode[], ...edges: [string, string][]): Lineage {
  const at = (id: string) => nodes.findIndex((one) => one.id === id);
  return {
    nodes,
    sources: edges.map(([from]) => at(from)),
    targets: edges.map(([, to]) => at(to)),
    layers: ["bronze", "silver", "gold"],
    version: "1",
  };
}

function laneOf(found: Lineage, id: string): string {
  const lanes = lanesOf(found)!;
  return lanes.titles[lanes.lane[found.nodes.findIndex((one) => one.id === id)]!]!;
}

describe("lanes", () => {
  const found = graph(
    [
      node("api", { external: true }),
      node("job:load", { kind: "step", job: "job" }),
      node("b", { layer: "bronze" }),
      node("tmp"),
      node("s", { layer: "silver" }),
      node("g", { layer: "gold" }),
      node("report:", { kind: "flow" }),
      node("mail"),
      node("alone"),
    ],
    ["api", "job:load"],
    ["job:load", "b"],
    ["b", "tmp"],
    ["tmp", "s"],
    ["s", "g"],
    ["g", "report:"],
    ["report:", "mail"],
  );

  it("are the layers that have something, with sources before and the rest after them", () => {
    expect(lanesOf(found)!.titles).toEqual([SOURCES, "bronze", "silver", "gold", OTHER]);
  });

  it("take in what has no layer: by what it makes, else by what it is made from", () => {
    expect(laneOf(found, "api")).toBe(SOURCES);
    expect(laneOf(found, "job:load")).toBe("bronze");
    expect(laneOf(found, "tmp")).toBe("silver");
    expect(laneOf(found, "report:")).toBe("gold");
    expect(laneOf(found, "mail")).toBe("gold");
    expect(laneOf(found, "alone")).toBe(OTHER);
  });

  it("are none where nothing has a layer", () => {
    expect(lanesOf(graph([node("a"), node("b")], ["a", "b"]))).toBeNull();
  });

  it("end for nodes in circles", () => {
    const round = graph([node("a"), node("b"), node("c", { layer: "gold" })], ["a", "b"], ["b", "a"], ["b", "c"]);
    expect(laneOf(round, "a")).toBe(SOURCES);
  });
});

describe("groups", () => {
  it("are those of more than one node, within their lanes", () => {
    const found = graph([
      node("a", { layer: "bronze", group: "x/y" }),
      node("b", { layer: "bronze", group: "x/y" }),
      node("c", { layer: "gold", group: "x" }),
      node("d", { layer: "gold", group: "z" }),
    ]);
    expect(groupKeysOf(found, lanesOf(found), "group")).toEqual(["bronze:x", "bronze:x/y"]);
    expect(groupKeysOf(found, null, "location")).toEqual([":shop"]);
    expect(groupKeysOf(found, null, "none")).toEqual([]);
  });
});

describe("a part", () => {
  it("has the nodes that are kept and the edges between them", () => {
    const found = only(
      graph([node("a"), node("b"), node("c")], ["a", "b"], ["b", "c"], ["a", "c"]),
      new Set(["a", "c"]),
    );
    expect(found.nodes.map((one) => one.id)).toEqual(["a", "c"]);
    expect([found.sources, found.targets]).toEqual([[0], [1]]);
  });
});

describe("a selection", () => {
  it("looks for a mere word anywhere in a key, and takes expressions as they are", () => {
    expect(selectionOf("orders", {})).toBe("*orders*");
    expect(selectionOf("gold.rev", {})).toBe("*gold.rev*");
    expect(selectionOf("stale", {})).toBe("(stale)");
    expect(selectionOf("+gold.revenue", {})).toBe("(+gold.revenue)");
    expect(selectionOf("a b", {})).toBe("(a b)");
  });

  it("joins filters: any of one kind, all kinds", () => {
    expect(selectionOf("x", { layer: ["gold", "silver"], owner: "ann@example.com", tag: "", is: ["stale"] })).toBe(
      "*x*,(layer:gold or layer:silver),owner:ann@example.com,stale",
    );
    expect(selectionOf("", { group: ['the "big" one'] })).toBe(`group:'the "big" one'`);
    expect(selectionOf("", {})).toBe("");
  });

  it("quotes what it has to", () => {
    expect(quoted("gold.revenue")).toBe("gold.revenue");
    expect(quoted("gold revenue, net")).toBe('"gold revenue, net"');
  });
});

describe("what runs elsewhere", () => {
  const found = graph(
    [
      node("kafka://k/raw", { kind: "dataset", group: "kafka://k", state: "", external: true }),
      node("spark/load:", { kind: "job", label: "load", group: "spark", state: "failed", materialized_at: 100 }),
      node("b", { layer: "bronze" }),
      node("g", { layer: "gold" }),
      node("tableau/pull:", { kind: "job", label: "pull", state: "", external: true }),
    ],
    ["kafka://k/raw", "spark/load:"],
    ["spark/load:", "b"],
    ["b", "g"],
    ["g", "tableau/pull:"],
  );

  it("stands with the sources where it comes before all layers", () => {
    expect(laneOf(found, "kafka://k/raw")).toBe(SOURCES);
    expect(laneOf(found, "spark/load:")).toBe(SOURCES);
    expect(laneOf(found, "tableau/pull:")).toBe("gold");
  });

  it("shows how its newest run is", () => {
    const faces = facesOf(found, 160_000);
    const job = faces.node(1);
    expect([job.title, job.state, job.tone, job.glyph, job.kind]).toEqual(["load", "Failed", "red", "cross", "spark"]);
    expect(job.detail).not.toBe("");
    expect([faces.node(4).state, faces.node(4).detail]).toEqual(["Job elsewhere", ""]);
    expect([faces.node(0).state, faces.node(0).detail]).toEqual(["Dataset", "kafka://k"]);
    expect(groupOf(found.nodes[1]!, "group")).toBe("");
  });
});
