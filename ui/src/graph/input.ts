// From pointers and wheels to wishes: pan, zoom, point, pick. Keys are in GraphView, where the focus is.
import { hitAt, itemsIn, type Hit } from "./hit";
import type { Stage } from "./stage";
import { panned, toWorld, zoomed } from "./view";

export interface Wishes {
  /** The pointer is over this. */
  hover(hit: Hit, at: { x: number; y: number }): void;
  /** Clicked; `more`: with shift, ctrl or cmd. Null: the ground. */
  pick(hit: Hit, more: boolean): void;
  /** Clicked twice. */
  open(item: number): void;
  /** A frame was drawn around these. */
  pickMany(items: number[]): void;
  /** The frame that is being drawn, in pixels; null: none. */
  frame(rect: { x: number; y: number; w: number; h: number } | null): void;
}

const CLICK_PX = 4;
const WHEEL = 0.0016;
const PINCH = 0.01;

interface Point {
  x: number;
  y: number;
}

export class Input {
  private readonly pointers = new Map<number, Point>();
  private down: (Point & { more: boolean; hit: Hit }) | null = null;
  private dragged = false;
  private framing = false;
  private readonly stops: (() => void)[] = [];

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly stage: Stage,
    private readonly wishes: Wishes,
  ) {
    const on = <K extends keyof HTMLElementEventMap>(name: K, heard: (event: HTMLElementEventMap[K]) => void) => {
      canvas.addEventListener(name, heard, { passive: false });
      this.stops.push(() => canvas.removeEventListener(name, heard));
    };
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", (event) => this.release(event));
    on("pointerleave", (event) => this.leave(event));
    on("dblclick", (event) => this.twice(event));
    on("wheel", (event) => this.wheel(event));
  }

  close(): void {
    for (const stop of this.stops) stop();
  }

  private at(event: MouseEvent): Point {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  private hit(at: Point): Hit {
    const { layout, view } = this.stage;
    return layout === null ? null : hitAt(layout, view, at.x, at.y);
  }

  private press(event: PointerEvent): void {
    if (event.button > 1) return;
    const at = this.at(event);
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, at);
    this.stage.stopFlight();
    if (this.pointers.size > 1) {
      this.down = null;
      return;
    }
    const more = event.shiftKey || event.ctrlKey || event.metaKey;
    this.down = { ...at, more, hit: this.hit(at) };
    this.dragged = false;
    this.framing = event.shiftKey && this.down.hit === null;
  }

  private move(event: PointerEvent): void {
    const at = this.at(event);
    const before = this.pointers.get(event.pointerId);
    if (before === undefined) {
      const hit = this.hit(at);
      this.canvas.style.cursor = hit === null ? "grab" : "pointer";
      this.wishes.hover(hit, at);
      return;
    }
    this.pointers.set(event.pointerId, at);
    if (this.pointers.size === 2) return this.pinch(event.pointerId, before, at);
    if (this.down === null) return;
    if (!this.dragged && Math.hypot(at.x - this.down.x, at.y - this.down.y) < CLICK_PX) return;
    if (!this.dragged) this.wishes.hover(null, at);
    this.dragged = true;
    if (this.framing) return this.wishes.frame(rectOf(this.down, at));
    this.canvas.style.cursor = "grabbing";
    this.stage.setView(panned(this.stage.view, at.x - before.x, at.y - before.y));
  }

  private pinch(moved: number, before: Point, at: Point): void {
    const other = [...this.pointers].find(([id]) => id !== moved)![1];
    const was = Math.hypot(before.x - other.x, before.y - other.y);
    const is = Math.hypot(at.x - other.x, at.y - other.y);
    const middle = { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 };
    const view = panned(this.stage.view, (at.x - before.x) / 2, (at.y - before.y) / 2);
    this.stage.setView(was > 0 ? zoomed(view, is / was, middle, this.stage.kMin) : view);
    this.dragged = true;
  }

  private release(event: PointerEvent): void {
    this.pointers.delete(event.pointerId);
    const { down } = this;
    if (this.pointers.size > 0) return;
    this.down = null;
    this.canvas.style.cursor = "grab";
    if (down === null || event.type === "pointercancel") return;
    const at = this.at(event);
    if (this.framing && this.dragged) {
      this.wishes.frame(null);
      const { layout, view } = this.stage;
      const rect = rectOf(down, at);
      const corner = toWorld(view, rect.x, rect.y);
      if (layout !== null) this.wishes.pickMany(itemsIn(layout, { ...corner, w: rect.w / view.k, h: rect.h / view.k }));
    } else if (!this.dragged) this.wishes.pick(down.hit, down.more);
  }

  private leave(event: PointerEvent): void {
    if (this.pointers.size === 0) this.wishes.hover(null, this.at(event));
  }

  private twice(event: MouseEvent): void {
    const at = this.at(event);
    const hit = this.hit(at);
    if (hit?.kind === "item") this.wishes.open(hit.item);
    else if (hit === null) this.stage.fly(zoomed(this.stage.view, 2, at, this.stage.kMin));
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    this.stage.stopFlight();
    const unit = event.deltaMode === 1 ? 18 : event.deltaMode === 2 ? this.stage.screen.h : 1;
    const [dx, dy] = [event.deltaX * unit, event.deltaY * unit];
    if (event.shiftKey || Math.abs(dx) > Math.abs(dy)) {
      this.stage.setView(panned(this.stage.view, -(dx || dy), 0));
      return;
    }
    const factor = Math.exp(-dy * (event.ctrlKey ? PINCH : WHEEL));
    this.stage.setView(zoomed(this.stage.view, factor, this.at(event), this.stage.kMin));
  }
}

function rectOf(a: Point, b: Point) {
  return { x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), w: Math.abs(a.x - b.x), h: Math.abs(a.y - b.y) };
}
