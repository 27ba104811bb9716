// What a node shows: one shape for assets, steps and flows, and for closed groups of them.
import { lookOf, type Tone } from "@/design/states";
import type { Glyph } from "./glyphs";

export interface Face {
  title: string;
  /** The state in a word, beside its glyph: never by colour alone. */
  state: string;
  tone: Tone;
  glyph: Glyph;
  /** Something goes on in it. */
  moving: boolean;
  /** What else there is to say, shortly: `3 h ago`. */
  detail: string;
  /** What it is: `flow`, `dbt`, ... */
  kind: string;
  /** Shares of a bar at the foot: partitions, task runs. Without any there is no bar. */
  bar: readonly Share[];
  /** At the right of the second line: checks, counts. */
  badge: { text: string; tone: Tone } | null;
  /** On the critical path. */
  hot: boolean;
}

export interface Share {
  tone: Tone;
  count: number;
}

/** Shares of a bar from counts by state, in the order given, without empty ones. */
export function sharesOf(counts: Readonly<Record<string, number>>, order: readonly string[]): Share[] {
  const known = order.filter((state) => (counts[state] ?? 0) > 0);
  return known.map((state) => ({ tone: lookOf(state).tone, count: counts[state]! }));
}
