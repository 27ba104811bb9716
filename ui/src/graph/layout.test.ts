import { describe, expect, it } from "vitest";
import { layout, placesOf } from "./layout";
import type { GraphInput, Layout } from "./model";

/** A graph from lines like `a > b > c`; a name may carry its group: `extract/a`. */
function graph(
  ...lines: string[]
): GraphInput & { ids: string[]; groups: string[]; sources: number[]; targets: number[] } {
  const at = new Map<string, number>();
  const made = { ids: [] as string[], groups: [] as string[], sources: [] as number[], targets: [] as number[] };
  const node = (name: string) => {
    const known = at.get(name);
    if (known !== undefined) return known;
    const slash = name.lastIndexOf("/");
    at.set(name, made.ids.length);
    made.groups.push(slash < 0 ? "" : name.slice(0, slash));
    return made.ids.push(name.slice(slash + 1)) - 1;
  };
  for (const line of lines) {
    const nodes = line.split(" > ").map(node);
    nodes.slice(1).forEach((target, i) => {
      made.sources.push(nodes[i]!);
      made.targets.push(target);
    });
  }
  return made;
}

function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
}

function randomDag(n: number, seed: number, groups = 0): GraphInput {
  const next = random(seed);
  const sources: number[] = [];
  const targets: number[] = [];
  for (let i = 1; i < n; i++) {
    for (let j = 0; j < 1 + next() * 3; j++) {
      sources.push(Math.floor(next() * i));
      targets.push(i);
    }
  }
  const ids = Array.from({ length: n }, (_, i) => `n${i}`);
  return { ids, sources, targets, groups: ids.map((_, i) => (groups ? `g${i % groups}` : "")) };
}

const item = (found: Layout, key: string) => {
  const i = found.keys.indexOf(key);
  if (i < 0) throw new Error(`${key} is not drawn`);
  return { x: found.x[i]!, y: found.y[i]!, w: found.w[i]!, h: found.h[i]!, middle: found.y[i]! + found.h[i]! / 2 };
};

function overlaps(found: Layout): string[] {
  const bad: string[] = [];
  const order = found.keys.map((_, i) => i).sort((a, b) => found.x[a]! - found.x[b]!);
  order.forEach((a, i) => {
    for (const b of order.slice(i + 1)) {
      if (found.x[b]! >= found.x[a]! + found.w[a]!) break;
      if (found.y[a]! < found.y[b]! + found.h[b]! && found.y[b]! < found.y[a]! + found.h[a]!) {
        bad.push(`${found.keys[a]} and ${found.keys[b]}`);
      }
    }
  });
  return bad;
}

describe("a picture", () => {
  it("goes from left to right", () => {
    const found = layout(randomDag(120, 3));
    for (let e = 0; e < found.from.length; e++) {
      const end = found.x[found.from[e]!]! + found.w[found.from[e]!]!;
      expect(found.x[found.to[e]!]!).toBeGreaterThan(end);
    }
  });

  it.each([1, 2, 3, 4, 5, 6])("puts nothing on top of another (seed %i)", (seed) => {
    expect(overlaps(layout(randomDag(60 * seed, seed, seed % 3 === 0 ? 7 : 0)))).toEqual([]);
  });

  it("makes a chain a straight line, also past what stands in between", () => {
    const found = layout(graph("a > b > c > d", "a > x > d", "a > d"));
    expect(item(found, "b").middle).toBeCloseTo(item(found, "c").middle, 0);
    const [a, d] = [found.keys.indexOf("a"), found.keys.indexOf("d")];
    const long = [...found.from].findIndex((from, e) => from === a && found.to[e] === d);
    expect(found.bendStart[long + 1]! - found.bendStart[long]!).toBe(4);
  });

  it("does not cross edges that need not cross", () => {
    // Named so that the alphabet would cross them all.
    const found = layout(graph("hub > a1 > z9", "hub > a2 > z8", "hub > a3 > z7", "hub > a4 > z6"));
    const firsts = ["a1", "a2", "a3", "a4"].map((key) => item(found, key).middle);
    const lasts = ["z9", "z8", "z7", "z6"].map((key) => item(found, key).middle);
    const rankOf = (list: number[]) => list.map((y) => list.filter((other) => other < y).length);
    expect(rankOf(firsts)).toEqual(rankOf(lasts));
  });

  it("takes circles, edges to oneself and doubled edges", () => {
    const found = layout(graph("a > b > c > a", "c > d", "d > d", "c > d"));
    expect(overlaps(found)).toEqual([]);
    expect([...found.weight].sort()).toEqual([1, 1, 1, 2]);
    expect(item(found, "d").x).toBeGreaterThan(item(found, "a").x);
  });

  it("is the same however the nodes come", () => {
    const one = graph("a > b > c", "a > c", "q > c", "g/s > g/t > c");
    const shuffled = [4, 2, 0, 5, 1, 3].filter((i) => i < one.ids.length);
    const place = shuffled.map((_, i) => shuffled.indexOf(i));
    const other: GraphInput = {
      ids: shuffled.map((i) => one.ids[i]!),
      groups: shuffled.map((i) => one.groups[i]!),
      sources: one.sources.map((i) => place[i]!).reverse(),
      targets: one.targets.map((i) => place[i]!).reverse(),
    };
    const [first, second] = [layout(one), layout(other)];
    for (const key of first.keys) expect(item(second, key), key).toEqual(item(first, key));
  });

  it("has room for nothing and for one", () => {
    expect(layout(graph()).keys).toEqual([]);
    expect(layout(graph("a")).width).toBeGreaterThan(0);
  });

  it("wraps columns that would be far too tall", () => {
    const found = layout({ ids: Array.from({ length: 2000 }, (_, i) => `n${i}`), sources: [], targets: [] });
    expect(found.width / found.height).toBeGreaterThan(0.8);
    const star = graph(...Array.from({ length: 900 }, (_, i) => `hub > leaf${i}`));
    const wrapped = layout(star);
    expect(wrapped.height).toBeLessThan(wrapped.width * 2);
    expect(overlaps(wrapped)).toEqual([]);
  });

  it("holds 10,000 nodes", () => {
    const found = layout(randomDag(10_000, 5, 40));
    expect(found.keys).toHaveLength(10_000);
    expect(found.boxes).toHaveLength(40);
    expect(overlaps(found)).toEqual([]);
  });
});

describe("lanes", () => {
  const input = {
    ...graph("raw > clean > mart", "raw > copy > report", "late > raw"),
    lanes: ["bronze", "silver", "gold"],
  };
  const lane = input.ids.map((id) => ({ clean: 1, copy: 1, mart: 2, report: 2 })[id] ?? 0);

  it("stand side by side, and hold what is theirs", () => {
    const found = layout({ ...input, lane });
    expect(found.lanes.map((one) => one.title)).toEqual(["bronze", "silver", "gold"]);
    expect(found.lanes.map((one) => one.members)).toEqual([2, 2, 2]);
    found.lanes
      .slice(1)
      .forEach((one, i) => expect(one.x).toBeGreaterThanOrEqual(found.lanes[i]!.x + found.lanes[i]!.w - 1));
    input.ids.forEach((id, node) => {
      const box = found.lanes.find((one) => one.lane === lane[node])!;
      expect(item(found, id).x).toBeGreaterThanOrEqual(box.x);
      expect(item(found, id).x + item(found, id).w).toBeLessThanOrEqual(box.x + box.w);
    });
  });

  it("leave out those that are empty, and bear edges that lead back", () => {
    const found = layout({ ...input, lane: input.ids.map((id) => (id === "raw" ? 2 : 0)) });
    expect(found.lanes.map((one) => one.title)).toEqual(["bronze", "gold"]);
  });

  it("make groups of the same name two groups", () => {
    const two = { ...graph("g/a > g/b > g/c > g/d"), lanes: ["bronze", "gold"], lane: [0, 0, 1, 1], open: [] };
    expect(layout(two).keys).toEqual(["bronze:g", "gold:g"]);
  });
});

describe("groups", () => {
  const input = graph("src > etl/load/a > etl/load/b > etl/c > out", "etl/load/b > out", "one/alone > out");

  it("stand around what is in them", () => {
    const found = layout(input);
    expect(found.boxes.map((box) => box.key)).toEqual([":etl", ":etl/load"]);
    const [outer, inner] = found.boxes;
    expect(inner!.x).toBeGreaterThan(outer!.x);
    expect(inner!.y + inner!.h).toBeLessThanOrEqual(outer!.y + outer!.h);
    for (const id of ["a", "b"]) {
      expect(item(found, id).x).toBeGreaterThan(inner!.x);
      expect(item(found, id).y + item(found, id).h).toBeLessThan(inner!.y + inner!.h);
    }
    expect(item(found, "out").x).toBeGreaterThan(outer!.x + outer!.w);
  });

  it("are one item while they are closed, with the edges of all in them", () => {
    const found = layout({ ...input, open: [":etl"] });
    expect(found.keys.toSorted()).toEqual([":etl/load", "alone", "c", "out", "src"]);
    const closed = found.keys.indexOf(":etl/load");
    expect(found.members[closed]).toBe(2);
    expect(found.node[closed]).toBe(-1);
    expect(input.ids.filter((_, node) => found.itemOf[node] === closed)).toEqual(["a", "b"]);
    expect(found.from.length).toBe(5);
  });

  it("of one node are that node", () => {
    expect(layout({ ...input, open: [] }).keys.toSorted()).toEqual([":etl", "alone", "out", "src"]);
  });

  it("that open leave the rest in its order", () => {
    const large = randomDag(300, 11, 20);
    const before = layout({ ...large, open: [] });
    const after = layout({ ...large, open: [":g3"], previous: placesOf(before) });
    const kept = before.keys.filter((key) => key !== ":g3");
    const height = (found: Layout, key: string) => item(found, key).middle;
    let compared = 0;
    for (const a of kept) {
      for (const b of kept) {
        if (height(before, a) >= height(before, b)) continue;
        compared++;
        expect(height(after, a), `${a} above ${b}`).toBeLessThanOrEqual(height(after, b));
      }
    }
    expect(compared).toBeGreaterThan(100);
  });
});
