// Pictures of a large graph, kept as bitmaps: one of the whole, and one of what is looked at and somewhat around it. A
// frame is then two bitmaps, however many nodes there are; while one moves on, the worker makes the next.
import type { GraphEngine } from "./engine";
import type { Layout } from "./model";
import { seen, type Rect, type Size, type View } from "./view";

interface Picture {
  bitmap: ImageBitmap;
  area: Rect;
  /** Pixels of the bitmap per unit of the world. */
  scale: number;
  version: number;
}

const AROUND = 0.35;
const SCALE_OFF = 1.4;
const PIXELS_MAX = 8_000_000;

export class Pictures {
  private whole: Picture | null = null;
  private part: Picture | null = null;
  private busy = false;
  private version = 0;
  private graph = 0;

  constructor(
    private readonly engine: GraphEngine,
    private readonly changed: () => void,
  ) {}

  /** What is shown has changed: the pictures are old, and still better than nothing. */
  renew(): void {
    this.version++;
  }

  /** There is another graph: the pictures are of no use. */
  forget(): void {
    this.graph++;
    this.version++;
    this.whole?.bitmap.close();
    this.part?.bitmap.close();
    this.whole = this.part = null;
  }

  /** Whether there is anything to draw yet. */
  get ready(): boolean {
    return this.whole !== null;
  }

  /** The picture of the whole, for the minimap; asked for if it is not there. */
  overview(layout: Layout, screen: Size, ratio: number): ImageBitmap | null {
    if (this.whole === null || this.whole.version < this.version) {
      void this.make("whole", ...this.wholeOf(layout, screen, ratio));
    }
    return this.whole?.bitmap ?? null;
  }

  /**
   * Draw what there is, and ask for what would be better. The context is in pixels of the screen; `still`: the view has
   * not moved for a moment, so it is worth being exact.
   */
  draw(
    context: CanvasRenderingContext2D,
    layout: Layout,
    view: View,
    screen: Size,
    ratio: number,
    still: boolean,
  ): void {
    const area = seen(view, screen);
    const { whole, part } = this;
    if (whole !== null && (part === null || !contains(part.area, area))) {
      context.save();
      if (part !== null) {
        const hole = onScreen(part.area, view);
        context.beginPath();
        context.rect(0, 0, screen.w, screen.h);
        context.rect(hole.x, hole.y, hole.w, hole.h);
        context.clip("evenodd");
      }
      blit(context, whole, view);
      context.restore();
    }
    if (part !== null) blit(context, part, view);
    this.improve(layout, view, area, screen, ratio, still);
  }

  private improve(layout: Layout, view: View, area: Rect, screen: Size, ratio: number, still: boolean): void {
    if (this.whole === null || this.whole.version < this.version) {
      void this.make("whole", ...this.wholeOf(layout, screen, ratio));
      return;
    }
    const scale = view.k * ratio;
    if (scale <= this.whole.scale * 1.05) {
      this.part?.bitmap.close();
      this.part = null;
      return;
    }
    const { part } = this;
    const world = { x: 0, y: 0, w: layout.width, h: layout.height };
    const off = part === null ? Infinity : Math.max(part.scale / scale, scale / part.scale);
    const good = part !== null && part.version === this.version && contains(part.area, common(area, world));
    if (good && off < (still ? 1.01 : SCALE_OFF)) return;
    const around = common(grown(area, AROUND), world);
    if (around.w > 0 && around.h > 0) void this.make("part", around, limited(around, scale));
  }

  private wholeOf(layout: Layout, screen: Size, ratio: number): [Rect, number] {
    const world = { x: 0, y: 0, w: Math.max(1, layout.width), h: Math.max(1, layout.height) };
    const fit = Math.min(screen.w / world.w, screen.h / world.h, 1);
    return [world, limited(world, fit * ratio * 1.15)];
  }

  private async make(which: "whole" | "part", area: Rect, scale: number): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    const { version, graph } = this;
    const bitmap = await this.engine.picture(area, scale);
    this.busy = false;
    if (bitmap === null) return;
    if (graph !== this.graph) {
      bitmap.close();
      this.changed();
      return;
    }
    this[which]?.bitmap.close();
    this[which] = { bitmap, area, scale, version };
    this.changed();
  }
}

function blit(context: CanvasRenderingContext2D, picture: Picture, view: View): void {
  const { x, y, w, h } = onScreen(picture.area, view);
  context.drawImage(picture.bitmap, x, y, w, h);
}

function onScreen(area: Rect, view: View): Rect {
  return { x: (area.x - view.x) * view.k, y: (area.y - view.y) * view.k, w: area.w * view.k, h: area.h * view.k };
}

function grown(area: Rect, share: number): Rect {
  const [dx, dy] = [area.w * share, area.h * share];
  return { x: area.x - dx, y: area.y - dy, w: area.w + 2 * dx, h: area.h + 2 * dy };
}

function common(a: Rect, b: Rect): Rect {
  const [x, y] = [Math.max(a.x, b.x), Math.max(a.y, b.y)];
  return { x, y, w: Math.min(a.x + a.w, b.x + b.w) - x, h: Math.min(a.y + a.h, b.y + b.h) - y };
}

function contains(outer: Rect, inner: Rect): boolean {
  const slack = 1e-3;
  return (
    inner.x >= outer.x - slack &&
    inner.y >= outer.y - slack &&
    inner.x + inner.w <= outer.x + outer.w + slack &&
    inner.y + inner.h <= outer.y + outer.h + slack
  );
}

function limited(area: Rect, scale: number): number {
  return Math.min(scale, Math.sqrt(PIXELS_MAX / (area.w * area.h)));
}
