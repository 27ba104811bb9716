// What was entered for a new backfill, and what is asked of the API. Pure.
import type { Schema } from "@/api/client";

type Asked = Schema<"BackfillAsked">;

export interface Entered {
  of: "assets" | "job";
  selection: string;
  job: string;
  partitions: string;
  first: string;
  last: string;
  every: string;
  mode: NonNullable<Asked["mode"]>;
  batch: number;
  runsMax: number;
  order: NonNullable<Asked["order"]>;
  environment: string;
}

/** Whether enough is there to ask what it would do. */
export function isWhole(entered: Entered): boolean {
  return entered.of === "assets" ? entered.selection.trim() !== "" && entered.partitions.trim() !== "" : entered.job !== "" && entered.first.trim() !== "";
}

export function askedOf(entered: Entered): Asked {
  const assets = entered.of === "assets";
  return {
    job: assets ? "" : entered.job,
    selection: assets ? entered.selection.trim() : "",
    location: "",
    partitions: assets ? entered.partitions.trim() : "",
    first: assets ? null : entered.first.trim() || null,
    last: assets ? null : entered.last.trim() || null,
    every: assets ? "" : entered.every.trim(),
    mode: entered.mode,
    batch: entered.batch,
    runs_max: entered.runsMax,
    order: entered.order,
    priority: 0,
    params: {},
    tags: {},
    environment: entered.environment.trim(),
  };
}
