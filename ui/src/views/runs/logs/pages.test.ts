import { describe, expect, it } from "vitest";
import {
  BLOCK,
  BLOCKS_MAX,
  countOf,
  hasNewer,
  hasOlder,
  lineAt,
  opened,
  withNewer,
  withOlder,
  type Entry,
  type Range,
} from "./pages";

/** Records of ten bytes each, by their numbers. */
function lines(from: number, to: number): Entry[] {
  return Array.from({ length: to - from }, (_, i) => ({
    at: "2026-01-31T12:00:00Z",
    level: "INFO",
    source: "t",
    text: `line ${from + i}`,
    offset: (from + i) * 10,
    end: (from + i + 1) * 10,
  }));
}

function range(from: number, to: number, size = 100_000): Range {
  return { task: "t", attempt: 1, lines: lines(from, to), next: to * 10, size, finished: false };
}

const texts = (pages: ReturnType<typeof opened>) =>
  pages.blocks.flatMap((block) => block.lines.map((line) => line.text));

describe("pages of a log", () => {
  it("begin anywhere", () => {
    const pages = opened(range(500, 600), 5000);
    expect([pages.start, pages.end, countOf(pages)]).toEqual([5000, 6000, 100]);
    expect([hasOlder(pages), hasNewer(pages)]).toEqual([true, true]);
  });

  it("take what comes after, each record once", () => {
    let pages = opened(range(0, 100), 0);
    pages = withNewer(pages, lines(90, 200), 2000, 300_000, false);
    expect(texts(pages)).toEqual(lines(0, 200).map((line) => line.text));
    expect([pages.end, pages.size]).toEqual([2000, 300_000]);
  });

  it("take what comes before, each record once", () => {
    let pages = opened(range(100, 200), 1000);
    pages = withOlder(pages, lines(20, 110), 200);
    expect(texts(pages)).toEqual(lines(20, 200).map((line) => line.text));
    expect(pages.start).toBe(200);
  });

  it("leave full blocks as they are", () => {
    const before = opened(range(0, BLOCK * 2 + 10), 0);
    const after = withNewer(before, lines(BLOCK * 2 + 10, BLOCK * 2 + 20), (BLOCK * 2 + 20) * 10, 100_000, false);
    expect(after.blocks[0]).toBe(before.blocks[0]);
    expect(after.blocks[1]).toBe(before.blocks[1]);
    expect(after.blocks[2]).not.toBe(before.blocks[2]);
    expect(after.blocks[2]!.key).toBe(before.blocks[2]!.key);
  });

  it("hold no more than a few thousand records, in one piece", () => {
    let pages = opened(range(0, 100), 0);
    for (let from = 100; from < 20_000; from += 400) {
      pages = withNewer(pages, lines(from, from + 400), (from + 400) * 10, 10_000_000, false);
    }
    expect(countOf(pages)).toBeLessThanOrEqual(BLOCK * BLOCKS_MAX);
    expect(pages.start).toBe(pages.blocks[0]!.lines[0]!.offset);
    const end = pages.end;
    pages = withOlder(pages, lines(pages.start / 10 - 400, pages.start / 10), pages.start - 4000);
    expect(pages.end).toBeLessThan(end);
    expect(pages.blocks.at(-1)!.lines.at(-1)!.end).toBe(pages.end);
    const all = pages.blocks.flatMap((block) => block.lines);
    all.slice(1).forEach((line, i) => expect(line.offset).toBe(all[i]!.end));
  });

  it("know that a filter has found nothing so far", () => {
    const pages = opened({ ...range(0, 0, 5000), next: 5000 }, 0);
    expect([hasNewer(pages), countOf(pages)]).toEqual([false, 0]);
  });

  it("find the record that an offset lies in", () => {
    const pages = opened(range(10, 20), 100);
    expect(lineAt(pages, 137)!.text).toBe("line 13");
    expect(lineAt(pages, 5)).toBeUndefined();
  });
});
