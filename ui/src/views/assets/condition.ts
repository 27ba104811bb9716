// The parts of a condition, which the API gives as a list with their depths, as the tree that they are.
import type { Schema } from "@/api/client";
import type { Part } from "@/components/ConditionTree";

export function treeOf(parts: readonly Schema<"ConditionPart">[]): Part | undefined {
  const path: Part[] = [];
  for (const { words, label, asset, count, total, ranges, depth } of parts) {
    const pairs = ranges.map(([first = "", last = ""]): [string, string] => [first, last]);
    const holds = { count, total: Math.max(total, 1), ranges: pairs };
    const part: Part = { words: asset ? `${words}, ${asset}` : words, label: label || undefined, holds, parts: [] };
    path.length = Math.min(depth, path.length);
    path.at(-1)?.parts?.push(part);
    path.push(part);
  }
  return path[0];
}
