// Off the page's thread: layouts, and pictures of large graphs. It keeps the last layout that it made and paints that.
import { layout } from "./layout";
import type { Answer, Ask } from "./messages";
import type { Layout } from "./model";
import { paintFar, type FarColors } from "./paint";

let current: Layout | null = null;
let look: { tone: Uint8Array; lit: Uint8Array | null; colors: FarColors } | null = null;

self.onmessage = ({ data: ask }: MessageEvent<Ask>) => {
  if (ask.type === "layout") {
    current = layout(ask.input);
    answer({ type: "layout", id: ask.id, layout: current });
  } else if (ask.type === "look") {
    look = ask;
  } else {
    const bitmap = picture(ask.area, ask.scale);
    answer({ type: "picture", id: ask.id, bitmap }, bitmap === null ? [] : [bitmap]);
  }
};

function picture(area: { x: number; y: number; w: number; h: number }, scale: number): ImageBitmap | null {
  if (current === null || look === null) return null;
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(area.w * scale)), Math.max(1, Math.round(area.h * scale)));
  const context = canvas.getContext("2d");
  if (context === null) return null;
  paintFar(context, current, look.tone, look.lit, look.colors, area, scale);
  return canvas.transferToImageBitmap();
}

function answer(message: Answer, transfer: Transferable[] = []): void {
  (self as unknown as { postMessage(message: unknown, transfer: Transferable[]): void }).postMessage(message, transfer);
}
