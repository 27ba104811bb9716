// The picture of a graph on a canvas, without React: what is shown, where one looks, and when to paint.
//
// Few items in sight are painted as cards at each frame; many are bitmaps that a worker makes (see pictures.ts). So a
// frame costs about the same whatever the size of the graph. Nothing is painted while nothing changes.
import { paintCard, forgetMeasures } from "./cards";
import { GraphEngine } from "./engine";
import type { Face } from "./face";
import { itemsIn } from "./hit";
import { drawMinimap, paintTitles } from "./overlay";
import { placesOf } from "./layout";
import type { GraphInput, Layout } from "./model";
import { EDGES_NEAR_MAX, strokeEdges, thinned } from "./edges";
import { edgeIn, farColors, paintFarItems, paintGround } from "./paint";
import { readPalette, toneNumber, watchPalette, type Palette } from "./palette";
import { Pictures } from "./pictures";
import { linksOf, type Links } from "./reach";
import { moved } from "./motion";
import { between, firstView, fitTo, held, revealed, seen, type Rect, type Size, type View } from "./view";

/** How nodes look; asked whenever `setFaces` says that something has changed. */
export interface FaceSource {
  node(node: number): Face;
  group(key: string, members: readonly number[]): Face;
}

/** What is marked: nodes by their ids (a closed group is marked with any of its members), items by their keys. */
export interface Marks {
  selected: ReadonlySet<string>;
  /** What stands out; null: everything is as bright. */
  lit: ReadonlySet<string> | null;
  focused: string | null;
  hovered: string | null;
}

const NEAR_K = 0.42;
const NEAR_MAX = 350;
const MOVE_MS = 240;
const MOVING_ITEMS_MAX = 900;
const STILL_MS = 130;
const TURN_MS = 1_100;
const TURN_FRAME_MS = 60;
const READABLE_K = 0.75;

export class Stage {
  layout: Layout | null = null;
  links: Links | null = null;
  view: View = { x: 0, y: 0, k: 1 };
  screen: Size = { w: 0, h: 0 };
  palette: Palette;
  /** Told once a layout is shown, and whenever the view changes. */
  onLayout: (layout: Layout) => void = () => {};
  onView: () => void = () => {};
  private readonly engine = new GraphEngine();
  private readonly pictures: Pictures;
  private readonly context: CanvasRenderingContext2D | null;
  private minimap: CanvasRenderingContext2D | null = null;
  private shown: Layout | null = null;
  private motion: { from: Layout; start: number } | null = null;
  private flight: { from: View; to: View; start: number; ms: number } | null = null;
  private source: FaceSource | null = null;
  private nextSource: FaceSource | null = null;
  private faces: (Face | undefined)[] = [];
  private members: Map<number, number[]> = new Map();
  private marks: Marks = { selected: new Set(), lit: null, focused: null, hovered: null };
  private ids: readonly string[] = [];
  private lit: Uint8Array | null = null;
  private selected: Uint8Array = new Uint8Array(0);
  private tone: Uint8Array = new Uint8Array(0);
  private laneTones: readonly number[] = [];
  private anchor: string | null = null;
  private asked = 0;
  private shownOf = 0;
  private frame = 0;
  private ratio = 1;
  private movedAt = 0;
  private stillTimer: ReturnType<typeof setTimeout> | undefined;
  private turnTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly stops: (() => void)[] = [];

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.context = canvas.getContext("2d");
    this.palette = readPalette();
    this.pictures = new Pictures(this.engine, () => this.invalidate());
    this.stops.push(watchPalette(() => this.recolor()));
    if ("fonts" in document) void document.fonts.ready.then(() => this.refont());
  }

  close(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.stillTimer);
    clearTimeout(this.turnTimer);
    for (const stop of this.stops) stop();
    this.pictures.forget();
    this.engine.close();
  }

  // ---- what is shown ----

  /** Show a graph. What `keep` names (a node or group) stays where it is on the screen, if it is there already. */
  async setGraph(input: GraphInput, laneTones: readonly number[], keep: string | null = null): Promise<void> {
    const asked = ++this.asked;
    this.anchor = keep;
    const previous = this.layout === null ? undefined : placesOf(this.layout);
    const layout = await this.engine.layout(keep === null ? input : { ...input, previous });
    if (asked !== this.asked) return;
    this.shownOf = asked;
    this.source = this.nextSource ?? this.source;
    this.nextSource = null;
    this.laneTones = laneTones;
    this.ids = input.ids;
    this.take(layout);
  }

  /** Nodes look otherwise: those of the graph that was set last, which may not be laid out yet. */
  setFaces(source: FaceSource): void {
    if (this.shownOf !== this.asked) {
      this.nextSource = source;
      return;
    }
    this.source = source;
    this.faces = [];
    this.tellLook();
    this.invalidate();
  }

  setMarks(marks: Marks): void {
    const litChanged = marks.lit !== this.marks.lit;
    this.marks = marks;
    this.selected = this.itemsOf(marks.selected);
    if (litChanged) this.tellLook();
    this.invalidate();
  }

  setMinimap(canvas: HTMLCanvasElement | null): void {
    this.minimap = canvas?.getContext("2d") ?? null;
    this.invalidate();
  }

  face(i: number): Face | null {
    if (this.layout === null || this.source === null) return null;
    const known = this.faces[i];
    if (known !== undefined) return known;
    const node = this.layout.node[i]!;
    const made =
      node >= 0 ? this.source.node(node) : this.source.group(this.layout.keys[i]!, this.members.get(i) ?? []);
    this.faces[i] = made;
    return made;
  }

  private take(layout: Layout): void {
    const before = this.shown;
    this.layout = layout;
    this.links = linksOf(layout.keys.length, layout.from, layout.to);
    this.members = new Map();
    layout.itemOf.forEach((item, node) => {
      if (layout.node[item]! >= 0) return;
      const list = this.members.get(item);
      if (list === undefined) this.members.set(item, [node]);
      else list.push(node);
    });
    this.faces = [];
    this.pictures.forget();
    this.selected = this.itemsOf(this.marks.selected);
    this.tellLook();
    if (before === null || before.keys.length === 0) this.begin();
    else if (this.anchor !== null) this.keepInPlace(before, layout, this.anchor);
    const small = before !== null && before.keys.length + layout.keys.length < MOVING_ITEMS_MAX;
    this.motion = small && !stillPreferred() ? { from: before, start: performance.now() } : null;
    this.shown = layout;
    this.onLayout(layout);
    this.invalidate();
  }

  private keepInPlace(before: Layout, after: Layout, key: string): void {
    const was = cornerOf(before, key);
    const is = cornerOf(after, key);
    if (was === null || is === null) return;
    this.view = { ...this.view, x: this.view.x + is.x - was.x, y: this.view.y + is.y - was.y };
  }

  private tellLook(): void {
    const { layout, source } = this;
    if (layout === null || source === null) return;
    const { lit } = this.marks;
    this.lit = lit === null ? null : this.itemsOf(lit);
    this.tone = Uint8Array.from(layout.keys, (_, i) => toneNumber(this.face(i)?.tone ?? "grey"));
    this.engine.look(this.tone, this.lit, farColors(this.palette));
    this.pictures.renew();
  }

  /** Which items show a node of a set (1). */
  private itemsOf(nodes: ReadonlySet<string>): Uint8Array {
    const { layout } = this;
    const items = new Uint8Array(layout?.keys.length ?? 0);
    if (layout !== null && nodes.size > 0)
      layout.itemOf.forEach((item, node) => nodes.has(this.ids[node]!) && (items[item] = 1));
    return items;
  }

  private recolor(): void {
    this.palette = readPalette();
    this.tellLook();
    this.invalidate();
  }

  private refont(): void {
    forgetMeasures();
    this.invalidate();
  }

  // ---- where one looks ----

  resize(size: Size, ratio: number): void {
    if (size.w === this.screen.w && size.h === this.screen.h && ratio === this.ratio) return;
    const first = this.screen.w === 0;
    this.screen = size;
    this.ratio = ratio;
    this.canvas.width = Math.max(1, Math.round(size.w * ratio));
    this.canvas.height = Math.max(1, Math.round(size.h * ratio));
    if (first) this.begin();
    this.paint();
  }

  get kMin(): number {
    const { layout, screen } = this;
    if (layout === null) return 0.05;
    return Math.min(0.5, fitTo({ x: 0, y: 0, w: layout.width, h: layout.height }, screen).k * 0.7);
  }

  setView(view: View): void {
    if (this.layout === null) return;
    this.view = held(view, { x: 0, y: 0, w: this.layout.width, h: this.layout.height }, this.screen);
    this.movedAt = performance.now();
    clearTimeout(this.stillTimer);
    this.stillTimer = setTimeout(() => this.invalidate(), STILL_MS);
    this.onView();
    this.invalidate();
  }

  private begin(): void {
    const { layout, screen } = this;
    if (layout !== null && screen.w > 0) this.fly(firstView(worldOf(layout), screen, layout.keys.length), false);
  }

  /** Look at all, or at some items. */
  fit(smooth = true, items?: readonly number[]): void {
    if (this.layout === null || this.screen.w === 0) return;
    const area = items === undefined || items.length === 0 ? worldOf(this.layout) : around(this.layout, items);
    this.fly(fitTo(area, this.screen), smooth);
  }

  /** Bring an item into sight. */
  reveal(item: number, smooth = true): void {
    const { layout } = this;
    if (layout === null || this.screen.w === 0) return;
    const rect = { x: layout.x[item]!, y: layout.y[item]!, w: layout.w[item]!, h: layout.h[item]! };
    this.fly(revealed(this.view, rect, this.screen, READABLE_K), smooth);
  }

  fly(to: View, smooth = true): void {
    if (smooth && !stillPreferred()) {
      this.flight = { from: this.view, to, start: performance.now(), ms: MOVE_MS };
      this.invalidate();
    } else {
      this.flight = null;
      this.setView(to);
    }
  }

  /** The user moves by themselves. */
  stopFlight(): void {
    this.flight = null;
  }

  // ---- painting ----

  invalidate(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.paint());
  }

  private paint(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const { context, palette, screen } = this;
    if (context === null || screen.w === 0) return;
    const now = performance.now();
    if (this.flight !== null) this.flyOn(now);
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.fillStyle = palette.page;
    context.fillRect(0, 0, screen.w, screen.h);
    const layout = this.layoutAt(now);
    if (layout === null || this.source === null) return;
    const area = seen(this.view, screen);
    this.worldTransform(context);
    paintGround(context, layout, palette, this.laneTones, this.view, area);
    const visible = itemsIn(layout, area);
    const near = this.view.k >= NEAR_K || visible.length <= NEAR_MAX || !this.engine.paints;
    if (near) this.paintNear(context, layout, visible, area, now);
    else this.paintFarFrame(context, layout, visible, now);
    // For those who wait for it, and for tests.
    this.canvas.dataset.drawn = near ? "cards" : this.pictures.ready ? "picture" : "items";
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    paintTitles(context, layout, palette, this.laneTones, this.view, screen);
    if (this.minimap !== null) {
      const overview = layout.keys.length > NEAR_MAX ? this.pictures.overview(layout, screen, this.ratio) : null;
      drawMinimap(this.minimap, layout, this.tone, palette, overview, area);
    }
    if (this.motion !== null || this.flight !== null) this.invalidate();
  }

  private flyOn(now: number): void {
    const flight = this.flight!;
    const share = Math.min(1, (now - flight.start) / flight.ms);
    const eased = 1 - (1 - share) ** 3;
    if (share >= 1) this.flight = null;
    this.setView(share >= 1 ? flight.to : between(flight.from, flight.to, eased, this.screen));
  }

  private layoutAt(now: number): Layout | null {
    if (this.motion === null || this.layout === null) return this.layout;
    const share = (now - this.motion.start) / MOVE_MS;
    if (share < 1) return moved(this.motion.from, this.layout, 1 - (1 - Math.max(0, share)) ** 3);
    this.motion = null;
    return this.layout;
  }

  private worldTransform(context: CanvasRenderingContext2D): void {
    const scale = this.view.k * this.ratio;
    context.setTransform(scale, 0, 0, scale, -this.view.x * scale, -this.view.y * scale);
  }

  private paintNear(c: CanvasRenderingContext2D, layout: Layout, visible: number[], area: Rect, now: number): void {
    this.paintEdges(c, layout, visible, area);
    let moving = false;
    const turn = (now % TURN_MS) / TURN_MS;
    for (const i of visible) {
      const face = this.face(i)!;
      moving ||= face.moving;
      const key = layout.keys[i]!;
      const state = {
        selected: this.isSelected(i),
        focused: this.marks.focused === key,
        hovered: this.marks.hovered === key,
        dimmed: this.lit !== null && !this.lit[i],
        turn,
      };
      paintCard(c, layout, i, face, state, this.palette, this.view.k);
    }
    if (moving && !stillPreferred() && this.view.k >= 0.5) this.turnOn();
  }

  /** What turns is painted now and then, not at each frame. */
  private turnOn(): void {
    clearTimeout(this.turnTimer);
    this.turnTimer = setTimeout(() => this.invalidate(), TURN_FRAME_MS);
  }

  /** Whether an item is selected, or shows a node that is. */
  isSelected(i: number): boolean {
    return this.selected[i] === 1;
  }

  private paintEdges(c: CanvasRenderingContext2D, layout: Layout, visible: number[], area: Rect): void {
    const inSight = new Uint8Array(layout.keys.length);
    for (const i of visible) inSight[i] = 1;
    const plain: number[] = [];
    const bright: number[] = [];
    const passing: number[] = [];
    for (let e = 0; e < layout.from.length; e++) {
      if (!edgeIn(layout, e, area)) continue;
      const [a, b] = [layout.from[e]!, layout.to[e]!];
      if (this.isBright(a, b)) bright.push(e);
      else if (inSight[a] || inSight[b]) plain.push(e);
      else passing.push(e);
    }
    const room = EDGES_NEAR_MAX - plain.length;
    if (passing.length <= room) plain.push(...passing);
    const { palette, view } = this;
    const alpha = Math.max(0.14, Math.min(0.5, 90 / plain.length)) * (this.lit !== null || bright.length > 0 ? 0.5 : 1);
    strokeEdges(c, layout, thinned(plain), palette.dim, alpha, Math.max(1.1, 0.8 / view.k), view.k);
    strokeEdges(c, layout, thinned(bright), palette.accent, 0.95, Math.max(1.8, 1.2 / view.k), view.k);
    const hot = plain.filter((e) => this.face(layout.from[e]!)?.hot && this.face(layout.to[e]!)?.hot);
    strokeEdges(c, layout, hot, palette.solid[toneNumber("orange")]!, 0.9, Math.max(1.8, 1.2 / view.k), view.k);
  }

  /** Edges of what is pointed at or selected, and those within what is lit. */
  private isBright(a: number, b: number): boolean {
    const { hovered } = this.marks;
    const keys = this.layout!.keys;
    if (hovered !== null && (keys[a] === hovered || keys[b] === hovered)) return true;
    if (this.lit === null && (this.isSelected(a) || this.isSelected(b))) return true;
    return this.lit !== null && this.lit[a] === 1 && this.lit[b] === 1;
  }

  private paintFarFrame(c: CanvasRenderingContext2D, layout: Layout, visible: number[], now: number): void {
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    const still = now - this.movedAt >= STILL_MS;
    this.pictures.draw(c, layout, this.view, this.screen, this.ratio, still);
    this.worldTransform(c);
    if (!this.pictures.ready) {
      paintFarItems(c, layout, this.tone, this.lit, farColors(this.palette), seen(this.view, this.screen));
    }
    c.strokeStyle = this.palette.accent;
    c.lineWidth = 2 / this.view.k;
    const { hovered, focused } = this.marks;
    for (const i of visible) {
      const key = layout.keys[i]!;
      if (key !== hovered && key !== focused && !this.isSelected(i)) continue;
      const off = 2 / this.view.k;
      c.strokeRect(layout.x[i]! - off, layout.y[i]! - off, layout.w[i]! + 2 * off, layout.h[i]! + 2 * off);
    }
  }
}

function cornerOf(layout: Layout, key: string): { x: number; y: number } | null {
  const i = layout.keys.indexOf(key);
  if (i >= 0) return { x: layout.x[i]!, y: layout.y[i]! };
  return layout.boxes.find((box) => box.key === key) ?? null;
}

function worldOf(layout: Layout): Rect {
  return { x: 0, y: 0, w: layout.width, h: layout.height };
}

function around(layout: Layout, items: readonly number[]): Rect {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const i of items) {
    x0 = Math.min(x0, layout.x[i]!);
    y0 = Math.min(y0, layout.y[i]!);
    x1 = Math.max(x1, layout.x[i]! + layout.w[i]!);
    y1 = Math.max(y1, layout.y[i]! + layout.h[i]!);
  }
  return { x: x0, y: y0, w: x1 - x0, h: y1 - y0 };
}

function stillPreferred(): boolean {
  return typeof matchMedia !== "undefined" && matchMedia("(prefers-reduced-motion: reduce)").matches;
}
