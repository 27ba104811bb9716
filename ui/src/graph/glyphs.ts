// The signs of states as canvases draw them, in a box of 14 by 14; the same as the icons of the rest of the page.

export type Glyph =
  | "check"
  | "cross"
  | "spin"
  | "clock"
  | "dashed"
  | "pause"
  | "retry"
  | "timer"
  | "skip"
  | "up"
  | "ban"
  | "history"
  | "link"
  | "warn"
  | "dot";

const OF_STATE: Record<string, Glyph> = {
  waiting: "dashed",
  queued: "clock",
  running: "spin",
  retrying: "retry",
  deferred: "timer",
  paused: "pause",
  cancelling: "spin",
  succeeded: "check",
  failed: "cross",
  skipped: "skip",
  upstream_failed: "up",
  cancelled: "ban",
  lost: "warn",
  fresh: "check",
  stale: "history",
  missing: "dashed",
  external: "link",
  passed: "check",
  warning: "warn",
};

export function glyphOf(state: string): Glyph {
  return OF_STATE[state] ?? "dot";
}

const PATHS: Record<Exclude<Glyph, "spin" | "dashed">, string> = {
  check: "M3 7.5 L6 10.5 L11.5 4",
  cross: "M3.5 3.5 L10.5 10.5 M10.5 3.5 L3.5 10.5",
  clock: "M12.5 7 A5.5 5.5 0 1 1 1.5 7 A5.5 5.5 0 1 1 12.5 7 M7 4 L7 7 L9 8.5",
  pause: "M4.5 3 L4.5 11 M9.5 3 L9.5 11",
  retry: "M12 7 A5 5 0 1 1 10.2 3.2 M10.5 0.8 L10.5 3.4 L7.9 3.4",
  timer: "M12 8 A5 5 0 1 1 2 8 A5 5 0 1 1 12 8 M7 8 L9 6 M5.5 1 L8.5 1",
  skip: "M3 3 L8.5 7 L3 11 Z M11 3 L11 11",
  up: "M11.5 11.5 L11.5 6.5 A2 2 0 0 0 9.5 4.5 L2.5 4.5 M5.2 1.8 L2.5 4.5 L5.2 7.2",
  ban: "M12.5 7 A5.5 5.5 0 1 1 1.5 7 A5.5 5.5 0 1 1 12.5 7 M3.2 3.2 L10.8 10.8",
  history: "M2.2 5.2 A5.2 5.2 0 1 1 1.8 7.6 M1.6 2.4 L2.2 5.4 L5.2 5 M7 4.2 L7 7.2 L9 8.4",
  link: "M8 2 L12 2 L12 6 M12 2 L6.5 7.5 M10.5 8.5 L10.5 12 L2 12 L2 3.5 L5.5 3.5",
  warn: "M7 1.8 L12.8 12 L1.2 12 Z M7 5.5 L7 8.3 M7 10 L7 10.3",
  dot: "M9 7 A2 2 0 1 1 5 7 A2 2 0 1 1 9 7",
};

const made = new Map<string, Path2D>();

/** Draw a sign with its corner at a point. `turn` is how far a moving one has turned, in turns. */
export function drawGlyph(
  context: CanvasRenderingContext2D,
  glyph: Glyph,
  x: number,
  y: number,
  color: string,
  turn = 0,
): void {
  context.save();
  context.translate(x, y);
  context.strokeStyle = color;
  context.lineWidth = 1.7;
  context.lineCap = "round";
  context.lineJoin = "round";
  if (glyph === "spin" || glyph === "dashed") {
    const from = turn * 2 * Math.PI;
    if (glyph === "dashed") context.setLineDash([2.2, 2.6]);
    context.beginPath();
    context.arc(7, 7, 5.2, from, from + (glyph === "spin" ? 1.5 * Math.PI : 2 * Math.PI));
    context.stroke();
  } else {
    let path = made.get(glyph);
    if (path === undefined) made.set(glyph, (path = new Path2D(PATHS[glyph])));
    context.stroke(path);
  }
  context.restore();
}
