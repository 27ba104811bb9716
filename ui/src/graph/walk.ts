// Going about in a graph by keys: along the edges to the left and right, through what is near above and below.
import type { Layout } from "./model";
import { neighbours, type Links } from "./reach";

export type Step = "left" | "right" | "up" | "down";

/** The item one step further, or -1. */
export function stepFrom(layout: Layout, links: Links, from: number, step: Step): number {
  if (step === "left" || step === "right") {
    const linked = neighbours(step === "left" ? links.ups : links.downs, from);
    const ahead = linked.filter((i) =>
      step === "left" ? layout.x[i]! < layout.x[from]! : layout.x[i]! > layout.x[from]!,
    );
    if (ahead.length > 0) return nearest(layout, from, ahead, 1, 3);
    if (linked.length > 0) return nearest(layout, from, linked, 1, 3);
  }
  const sign = step === "left" || step === "up" ? -1 : 1;
  const across = step === "left" || step === "right";
  const candidates: number[] = [];
  for (let i = 0; i < layout.keys.length; i++) {
    const dx = (layout.x[i]! - layout.x[from]!) * sign;
    const dy = (layout.y[i]! - layout.y[from]!) * sign;
    if (across ? dx > layout.w[from]! / 2 : dy > layout.h[from]! / 2) candidates.push(i);
  }
  return nearest(layout, from, candidates, across ? 1 : 4, across ? 4 : 1);
}

/** The item to begin with: the one nearest to a point. */
export function nearestTo(layout: Layout, x: number, y: number): number {
  let best = -1;
  let least = Infinity;
  for (let i = 0; i < layout.keys.length; i++) {
    const distance = Math.hypot(layout.x[i]! + layout.w[i]! / 2 - x, layout.y[i]! + layout.h[i]! / 2 - y);
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}

function nearest(layout: Layout, from: number, candidates: number[], weightX: number, weightY: number): number {
  let best = -1;
  let least = Infinity;
  for (const i of candidates) {
    const dx = Math.abs(layout.x[i]! - layout.x[from]!);
    const dy = Math.abs(layout.y[i]! + layout.h[i]! / 2 - layout.y[from]! - layout.h[from]! / 2);
    const distance = dx * weightX + dy * weightY;
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}
