import { describe, expect, it } from "vitest";
import { layout } from "@/graph/layout";
import {
  around,
  columnFaces,
  columnInput,
  columnLanes,
  idOf,
  neighboursOf,
  type ColumnGraph,
  type ColumnNode,
} from "./columns";

function column(asset: string, name: string): ColumnNode {
  const layer = asset.split(".")[0]!;
  return { asset, column: name, type: "int64", description: "", layer, location: "shop", distance: 0 };
}

const nodes = [
  column("gold.revenue", "amount"),
  column("gold.revenue", "who"),
  column("silver.orders", "euros"),
  column("silver.orders", "who"),
  column("bronze.orders", "cents"),
  column("bronze.orders", "who"),
];
const graph: ColumnGraph = {
  nodes,
  sources: [4, 5, 2, 3],
  targets: [2, 3, 0, 1],
  kinds: ["transformed", "identity", "aggregated", "identity"],
  assets: [],
  version: "1",
};

describe("columns", () => {
  it("stand below one another in the boxes of their assets, the boxes in lanes", () => {
    const lanes = columnLanes(graph, ["bronze", "silver", "gold"]);
    const found = layout(columnInput(graph, lanes));
    expect(found.boxes.map((box) => box.title)).toEqual(["bronze.orders", "gold.revenue", "silver.orders"]);
    expect(found.lanes.map((lane) => lane.title)).toEqual(["bronze", "silver", "gold"]);
    const place = (id: string) => found.keys.indexOf(id);
    const [amount, who] = [place("gold.revenue.amount"), place("gold.revenue.who")];
    expect(found.x[amount]).toBe(found.x[who]);
    expect(Math.abs(found.y[amount]! - found.y[who]!)).toBe(32);
    // Edges do not cross: the order of the one follows that of the other.
    const above = (a: string, b: string) => found.y[place(a)]! < found.y[place(b)]!;
    expect(above("gold.revenue.amount", "gold.revenue.who")).toBe(above("bronze.orders.cents", "bronze.orders.who"));
  });

  it("are followed up and down, without what only hangs on the same asset", () => {
    expect([...around(graph, "silver.orders.euros")].sort()).toEqual([
      "bronze.orders.cents",
      "gold.revenue.amount",
      "silver.orders.euros",
    ]);
  });

  it("say how they are made", () => {
    expect(neighboursOf(graph, "silver.orders.euros", "up").map(({ node, how }) => [idOf(node), how])).toEqual([
      ["bronze.orders.cents", "transformed"],
    ]);
    expect(neighboursOf(graph, "silver.orders.euros", "down")[0]!.how).toBe("aggregated");
  });

  it("name their asset where they have no box", () => {
    const one = { ...graph, nodes: [column("gold.revenue", "amount")], sources: [], targets: [] };
    expect(columnFaces(one).node(0).title).toBe("gold.revenue.amount");
    expect(columnFaces(graph).node(0).title).toBe("amount");
  });

  it("of assets with a slash in their names are no groups within groups", () => {
    const input = columnInput({ ...graph, nodes: nodes.map((node) => ({ ...node, asset: `a/${node.asset}` })) }, null);
    expect(layout(input).boxes.map((box) => box.depth)).toEqual([1, 1, 1]);
  });
});
