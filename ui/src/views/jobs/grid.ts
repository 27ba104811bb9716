// The grid of a job: which rows there are, and what became of each step in each run. Pure.
import type { Schema } from "@/api/client";
import { worstOf as worstOfCounts } from "@/views/runs/states";

type Grid = Schema<"Grid">;
export type Cell = Schema<"GridCell">;

export interface GroupRow {
  kind: "group";
  /** The whole path: `load/eu`. */
  path: string;
  title: string;
  depth: number;
  steps: string[];
  open: boolean;
}

export interface StepRow {
  kind: "step";
  step: string;
  title: string;
  depth: number;
}

export type Row = GroupRow | StepRow;

/** Steps below their groups, in the order of the steps; what is in a closed group is left out. */
export function rowsOf(grid: Pick<Grid, "steps" | "groups">, closed: ReadonlySet<string>): Row[] {
  const rows: Row[] = [];
  const groups = new Map<string, GroupRow>();
  const places = orderOf(grid);
  for (const step of places) {
    const path = grid.groups[step] ?? "";
    const parts = path ? path.split("/") : [];
    let hidden = false;
    parts.forEach((title, depth) => {
      const key = parts.slice(0, depth + 1).join("/");
      let group = groups.get(key);
      if (!group) {
        group = { kind: "group", path: key, title, depth, steps: [], open: !closed.has(key) };
        groups.set(key, group);
        if (!hidden) rows.push(group);
      }
      group.steps.push(step);
      hidden ||= !group.open;
    });
    if (!hidden) rows.push({ kind: "step", step, title: titleOf(step, path), depth: parts.length });
  }
  return rows;
}

/** Members of a group stand together, where the first of them stands. */
function orderOf({ steps, groups }: Pick<Grid, "steps" | "groups">): string[] {
  const at = new Map<string, number>();
  steps.forEach((step, i) => {
    const parts = (groups[step] ?? "").split("/").filter(Boolean);
    parts.forEach((_, depth) => {
      const key = parts.slice(0, depth + 1).join("/");
      if (!at.has(key)) at.set(key, i);
    });
  });
  const rank = (step: string): number[] => {
    const parts = (groups[step] ?? "").split("/").filter(Boolean);
    return [...parts.map((_, depth) => at.get(parts.slice(0, depth + 1).join("/")) ?? 0), steps.indexOf(step)];
  };
  const ranks = new Map(steps.map((step) => [step, rank(step)]));
  return [...steps].sort((a, b) => compare(ranks.get(a) ?? [], ranks.get(b) ?? []));
}

function compare(a: number[], b: number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return (a[i] ?? 0) - (b[i] ?? 0);
  return a.length - b.length;
}

function titleOf(step: string, group: string): string {
  const prefix = `${group.replaceAll("/", ".")}.`;
  return group && step.startsWith(prefix) ? step.slice(prefix.length) : step;
}

/** Cells by `run step`. */
export function cellsOf(grid: Pick<Grid, "cells">): Map<string, Cell> {
  return new Map(grid.cells.map((cell) => [`${cell.run} ${cell.step}`, cell]));
}

/** The state of several cells together: the one that asks for most; undefined where there is none. */
export function worstOf(cells: readonly (Cell | undefined)[]): string | undefined {
  const found = cells.filter((cell) => cell !== undefined);
  return found.length ? worstOfCounts(Object.fromEntries(found.map((cell) => [cell.state, 1]))) : undefined;
}
