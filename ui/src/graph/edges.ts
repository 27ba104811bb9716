// Edges of the near picture: with a small head where they end, and never more than can be told apart.
import type { Layout } from "./model";
import { traceEdge } from "./paint";

export const EDGES_NEAR_MAX = 1_200;
const HEAD_K = 0.5;

/** Draw edges in one stroke. `width` is in units of the world. */
export function strokeEdges(
  context: CanvasRenderingContext2D,
  layout: Layout,
  edges: number[],
  color: string,
  alpha: number,
  width: number,
  k: number,
): void {
  if (edges.length === 0) return;
  context.strokeStyle = color;
  context.fillStyle = color;
  context.globalAlpha = alpha;
  context.lineWidth = width;
  context.beginPath();
  for (const e of edges) traceEdge(context, layout, e);
  context.stroke();
  if (k > HEAD_K) {
    context.beginPath();
    for (const e of edges) {
      const b = layout.to[e]!;
      const [x, y] = [layout.x[b]!, layout.y[b]! + layout.h[b]! / 2];
      context.moveTo(x, y);
      context.lineTo(x - 6, y - 3.6);
      context.lineTo(x - 6, y + 3.6);
      context.closePath();
    }
    context.fill();
  }
  context.globalAlpha = 1;
}

/** At most as many edges as are worth drawing, evenly chosen. */
export function thinned(edges: number[]): number[] {
  if (edges.length <= EDGES_NEAR_MAX) return edges;
  const step = edges.length / EDGES_NEAR_MAX;
  return Array.from({ length: EDGES_NEAR_MAX }, (_, i) => edges[Math.floor(i * step)]!);
}
