import { expect, it } from "vitest";
import { treeOf } from "@/views/assets/condition";

const part = (words: string, depth: number, more: object = {}) => ({ words, label: "", asset: "", count: 0, total: 0, ranges: [], more: 0, depth, ...more });

it("is a tree by the depths of its parts", () => {
  const tree = treeOf([
    part("all of", 0, { count: 2, total: 3, ranges: [["a", "b"]] }),
    part("any of", 1, { label: "it is time" }),
    part("missing", 2),
    part("updated", 2, { asset: "silver" }),
    part("not running", 1),
  ]);
  expect(tree?.holds).toEqual({ count: 2, total: 3, ranges: [["a", "b"]] });
  expect(tree?.parts?.map((each) => each.words)).toEqual(["any of", "not running"]);
  expect(tree?.parts?.[0]).toMatchObject({ label: "it is time", holds: { count: 0, total: 1 } });
  expect(tree?.parts?.[0]?.parts?.map((each) => each.words)).toEqual(["missing", "updated, silver"]);
  expect(treeOf([])).toBeUndefined();
});
