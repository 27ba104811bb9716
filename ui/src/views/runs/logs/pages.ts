// What of a log is on the page: consecutive records in blocks, from anywhere in it, a few thousand at most. Pure.
//
// A log is addressed by offsets (bytes that were ever written), so that any place of 100 MB is one request away, and
// nothing has to be counted first. Blocks stay as they are once they are full: what is drawn is not drawn again.
import type { Schema } from "@/api/client";

export type Entry = Schema<"LogEntry">;
export type Range = Schema<"LogRange">;

export interface Block {
  key: number;
  lines: readonly Entry[];
}

export interface Pages {
  blocks: readonly Block[];
  /** What is on the page begins and ends at these offsets. */
  start: number;
  end: number;
  /** How long the log is, as far as is known. */
  size: number;
  /** Nothing more will be written. */
  finished: boolean;
}

export const BLOCK = 150;
export const BLOCKS_MAX = 20;

export const NOTHING: Pages = { blocks: [], start: 0, end: 0, size: 0, finished: false };

/** A page that begins with a range. `start`: where it was asked from. */
export function opened(range: Range, start: number): Pages {
  const first = range.lines[0]?.offset ?? start;
  return {
    blocks: split(range.lines),
    start: Math.min(first, start),
    end: range.next,
    size: range.size,
    finished: range.finished,
  };
}

/** With what comes after it; beyond the limit the oldest blocks go. */
export function withNewer(pages: Pages, lines: readonly Entry[], next: number, size: number, finished: boolean): Pages {
  const fresh = lines.filter((line) => line.offset >= pages.end);
  const last = pages.blocks.at(-1);
  const kept = last !== undefined && last.lines.length < BLOCK ? pages.blocks.slice(0, -1) : pages.blocks;
  const open = kept === pages.blocks ? [] : last!.lines;
  const blocks = [...kept, ...split([...open, ...fresh])];
  const gone = Math.max(0, blocks.length - BLOCKS_MAX);
  const left = blocks.slice(gone);
  return {
    blocks: left,
    start: gone > 0 ? left[0]!.key : pages.start,
    end: Math.max(pages.end, next),
    size: Math.max(size, pages.size, next),
    finished,
  };
}

/** With what comes before it, from `start` on; beyond the limit the newest blocks go. */
export function withOlder(pages: Pages, lines: readonly Entry[], start: number): Pages {
  const fresh = lines.filter((line) => line.offset < pages.start);
  const blocks = [...split(fresh), ...pages.blocks];
  const left = blocks.slice(0, BLOCKS_MAX);
  const cut = blocks[BLOCKS_MAX];
  return { ...pages, blocks: left, start, end: cut === undefined ? pages.end : cut.key };
}

function split(lines: readonly Entry[]): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at += BLOCK) {
    const part = lines.slice(at, at + BLOCK);
    blocks.push({ key: part[0]!.offset, lines: part });
  }
  return blocks;
}

/** Whether there is more before or after what is on the page. */
export function hasOlder(pages: Pages): boolean {
  return pages.start > 0;
}

export function hasNewer(pages: Pages): boolean {
  return pages.end < pages.size;
}

export function countOf(pages: Pages): number {
  return pages.blocks.reduce((sum, block) => sum + block.lines.length, 0);
}

/** The record that begins at an offset, or that it lies in. */
export function lineAt(pages: Pages, offset: number): Entry | undefined {
  for (const block of pages.blocks) {
    const found = block.lines.find((line) => line.offset <= offset && offset < line.end);
    if (found !== undefined) return found;
  }
  return undefined;
}
