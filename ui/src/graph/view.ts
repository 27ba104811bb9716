// Where one looks: the world's point at the screen's corner, and how many pixels a unit of the world takes.

export interface View {
  x: number;
  y: number;
  /** Pixels per unit. */
  k: number;
}

export interface Rect {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Size {
  w: number;
  h: number;
}

export const K_MAX = 2;
const K_FIT_MAX = 1;
const K_LEGIBLE = 0.5;
const K_READ = 0.64;
const ITEMS_TO_READ = 200;
const MARGIN = 20;

/** The view that shows a rectangle whole, with a margin in pixels; never larger than life. */
export function fitTo(rect: Rect, screen: Size, margin = 32): View {
  const room = { w: Math.max(1, screen.w - 2 * margin), h: Math.max(1, screen.h - 2 * margin) };
  const k = Math.min(K_FIT_MAX, room.w / Math.max(1, rect.w), room.h / Math.max(1, rect.h));
  return centred({ x: rect.x + rect.w / 2, y: rect.y + rect.h / 2 }, k, screen);
}

/**
 * Where to begin: the whole, if it can be read then, or if there is so much of it that it never could; else its left end
 * at a size at which it can.
 */
export function firstView(world: Rect, screen: Size, items: number): View {
  const whole = fitTo(world, screen);
  if (whole.k >= K_LEGIBLE || items > ITEMS_TO_READ) return whole;
  const view = centred({ x: 0, y: world.y + world.h / 2 }, K_READ, screen);
  const tall = world.h * K_READ > screen.h;
  return { ...view, x: world.x - MARGIN / K_READ, y: tall ? world.y - MARGIN / K_READ : view.y };
}

/** The view with a point of the world in the middle. */
export function centred(point: { x: number; y: number }, k: number, screen: Size): View {
  return { k, x: point.x - screen.w / k / 2, y: point.y - screen.h / k / 2 };
}

/** Zoom by a factor, with what is below the pointer staying there. */
export function zoomed(view: View, factor: number, at: { x: number; y: number }, kMin: number): View {
  const k = Math.min(K_MAX, Math.max(kMin, view.k * factor));
  return { k, x: view.x + at.x / view.k - at.x / k, y: view.y + at.y / view.k - at.y / k };
}

/** Move by pixels. */
export function panned(view: View, dx: number, dy: number): View {
  return { k: view.k, x: view.x - dx / view.k, y: view.y - dy / view.k };
}

/** Keep some of the world in sight: at least a margin's worth of pixels of it. */
export function held(view: View, world: Rect, screen: Size, margin = 80): View {
  const pad = margin / view.k;
  const clamp = (value: number, from: number, to: number) => Math.min(Math.max(value, from), to);
  return {
    k: view.k,
    x: clamp(view.x, world.x - screen.w / view.k + pad, world.x + world.w - pad),
    y: clamp(view.y, world.y - screen.h / view.k + pad, world.y + world.h - pad),
  };
}

/** The part of the world that a screen shows. */
export function seen(view: View, screen: Size): Rect {
  return { x: view.x, y: view.y, w: screen.w / view.k, h: screen.h / view.k };
}

/** From pixels to the world. */
export function toWorld(view: View, x: number, y: number): { x: number; y: number } {
  return { x: view.x + x / view.k, y: view.y + y / view.k };
}

/** The smallest move that brings a rectangle into sight, at a zoom at which it can be read. */
export function revealed(view: View, rect: Rect, screen: Size, kReadable: number, margin = 48): View {
  if (view.k < kReadable) return centred({ x: rect.x + rect.w / 2, y: rect.y + rect.h / 2 }, kReadable, screen);
  const pad = margin / view.k;
  const area = seen(view, screen);
  const move = (from: number, length: number, least: number, size: number) => {
    if (least < from + pad || size > length - 2 * pad) return least - pad - from;
    return Math.max(0, least + size + pad - from - length);
  };
  const dx =
    rect.x >= area.x + pad && rect.x + rect.w <= area.x + area.w - pad ? 0 : move(area.x, area.w, rect.x, rect.w);
  const dy =
    rect.y >= area.y + pad && rect.y + rect.h <= area.y + area.h - pad ? 0 : move(area.y, area.h, rect.y, rect.h);
  return { k: view.k, x: view.x + dx, y: view.y + dy };
}

/** A view between two, for motion: zoom goes by equal factors, and the middle of the screen goes straight. */
export function between(from: View, to: View, share: number, screen: Size): View {
  const k = from.k * (to.k / from.k) ** share;
  const middle = (view: View) => toWorld(view, screen.w / 2, screen.h / 2);
  const [a, b] = [middle(from), middle(to)];
  // Where k changes, the way is covered in proportion to 1/k, which looks even on the screen.
  const done = from.k === to.k ? share : (1 / from.k - 1 / k) / (1 / from.k - 1 / to.k);
  return centred({ x: a.x + (b.x - a.x) * done, y: a.y + (b.y - a.y) * done }, k, screen);
}

export function overlaps(rect: Rect, x: number, y: number, w: number, h: number): boolean {
  return x < rect.x + rect.w && x + w > rect.x && y < rect.y + rect.h && y + h > rect.y;
}
