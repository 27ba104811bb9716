// The page's side of the graph worker. Without workers (in tests) layouts are made at once, and there are no pictures.
import { layout } from "./layout";
import type { Answer, Ask } from "./messages";
import type { GraphInput, Layout } from "./model";
import type { FarColors } from "./paint";
import type { Rect } from "./view";

let spare: Worker | null = null;

/** Have a worker start already, while what it is to draw is asked for. */
export function warmEngine(): void {
  if (canWork()) spare ??= newWorker();
}

function newWorker(): Worker {
  return new Worker(new URL("./graph.worker.ts", import.meta.url), { type: "module" });
}

export class GraphEngine {
  private readonly worker: Worker | null;
  private next = 1;
  private readonly waiting = new Map<number, (answer: Answer) => void>();

  constructor() {
    this.worker = canWork() ? (spare ?? newWorker()) : null;
    spare = null;
    if (this.worker !== null) {
      this.worker.onmessage = ({ data }: MessageEvent<Answer>) => {
        this.waiting.get(data.id)?.(data);
        this.waiting.delete(data.id);
      };
    }
  }

  /** Whether there are pictures. */
  get paints(): boolean {
    return this.worker !== null;
  }

  /** Lay a graph out; pictures are of the last one. */
  async layout(input: GraphInput): Promise<Layout> {
    if (this.worker === null) return layout(input);
    const answer = await this.ask((id) => ({ type: "layout", id, input }));
    if (answer.type !== "layout") throw new Error("the graph worker answered something else");
    return answer.layout;
  }

  /** How items look in pictures from now on. */
  look(tone: Uint8Array, lit: Uint8Array | null, colors: FarColors): void {
    this.worker?.postMessage({ type: "look", tone, lit, colors } satisfies Ask);
  }

  /** A picture of a part of the world; null where there can be none. */
  async picture(area: Rect, scale: number): Promise<ImageBitmap | null> {
    if (this.worker === null) return null;
    const answer = await this.ask((id) => ({ type: "paint", id, area, scale }));
    return answer.type === "picture" ? answer.bitmap : null;
  }

  close(): void {
    this.worker?.terminate();
    this.waiting.clear();
  }

  private ask(message: (id: number) => Ask): Promise<Answer> {
    const id = this.next++;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.worker?.postMessage(message(id));
    });
  }
}

function canWork(): boolean {
  return typeof Worker !== "undefined" && typeof OffscreenCanvas !== "undefined";
}
