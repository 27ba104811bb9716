// The heat map of partitions: where cells stand, and what colours they have. Pure.
import type { Schema } from "@/api/client";

export type Cell = Schema<"PartitionCell">;

export const ORDER = ["failed", "missing", "stale", "fresh"] as const;

export interface Grid {
  columns: number;
  rows: number;
  /** Side of a cell with its gap, in pixels. */
  size: number;
}

/** How `count` cells of one row are laid out in lines over `width` pixels: small ones where there are many. */
export function gridOf(count: number, width: number): Grid {
  const size = count <= 400 ? 16 : count <= 2_000 ? 12 : 9;
  const columns = Math.max(1, Math.floor(width / size));
  return { columns, rows: Math.max(1, Math.ceil(count / columns)), size };
}

/** The cell at a point; undefined between and behind cells. */
export function cellAt(grid: Grid, count: number, x: number, y: number): number | undefined {
  const column = Math.floor(x / grid.size);
  const row = Math.floor(y / grid.size);
  const at = row * grid.columns + column;
  return column >= 0 && column < grid.columns && row >= 0 && at < count ? at : undefined;
}

/** The shares of a cell's states, what asks for most first. */
export function sharesOf(cell: Cell): [string, number][] {
  const total = Object.values(cell.counts).reduce((sum, count) => sum + count, 0) || 1;
  return ORDER.filter((state) => cell.counts[state]).map((state) => [state, (cell.counts[state] ?? 0) / total]);
}

/** A cell in words. */
export function wordsOf(cell: Cell): string {
  const keys = cell.count === 1 ? cell.first : `${cell.first} … ${cell.last}`;
  return `${keys}: ${sharesOf(cell).map(([state]) => (cell.count === 1 ? state : `${cell.counts[state]} ${state}`)).join(", ")}`;
}
