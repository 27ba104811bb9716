// The near picture: nodes as cards that can be read. How much of a card is drawn depends on how large it is on the
// screen; a name is shown as long as it can be read, larger than life if it must.
import type { Face } from "./face";
import { drawGlyph } from "./glyphs";
import type { Layout } from "./model";
import { toneNumber, type Palette } from "./palette";

const NAME_PX_MIN = 9.5;
const FULL_K = 0.62;
/** Lower cards have one line. */
const LOW = 40;
const LINE_K = 0.5;

export interface CardState {
  selected: boolean;
  focused: boolean;
  hovered: boolean;
  dimmed: boolean;
  /** How far what moves has turned, in turns. */
  turn: number;
}

/** Paint one item. */
export function paintCard(
  context: CanvasRenderingContext2D,
  layout: Layout,
  i: number,
  face: Face,
  state: CardState,
  palette: Palette,
  k: number,
): void {
  const [x, y, w, h] = [layout.x[i]!, layout.y[i]!, layout.w[i]!, layout.h[i]!];
  const closed = layout.node[i]! < 0;
  const tone = toneNumber(face.tone);
  context.globalAlpha = state.dimmed ? 0.28 : 1;
  context.lineWidth = 1 / k;
  context.strokeStyle = palette.borderStrong;
  if (closed && k > 0.2) paintStack(context, x, y, w, h, palette);
  context.beginPath();
  context.roundRect(x, y, w, h, 7);
  context.fillStyle = state.selected ? palette.selected : palette.surface;
  context.fill();
  if (face.hot) context.strokeStyle = palette.solid[toneNumber("orange")]!;
  context.stroke();
  paintStripe(context, x, y, h, palette.solid[tone]!, k);
  if (h < LOW && k >= LINE_K) paintLine(context, x, y, w, h, face, palette);
  else if (k >= FULL_K) paintFull(context, x, y, w, h, face, closed, palette, tone, state.turn);
  else paintName(context, x, y, w, h, face, palette, k);
  paintRing(context, x, y, w, h, state, palette, k);
  context.globalAlpha = 1;
}

function paintStack(context: CanvasRenderingContext2D, x: number, y: number, w: number, h: number, p: Palette): void {
  for (const off of [6, 3]) {
    context.beginPath();
    context.roundRect(x + off, y + off, w - off, h, 7);
    context.fillStyle = p.surface2;
    context.fill();
    context.stroke();
  }
}

/** At the left edge, in the tone of the state; wider the smaller the card is on the screen. */
function paintStripe(c: CanvasRenderingContext2D, x: number, y: number, h: number, color: string, k: number): void {
  const width = Math.min(24, Math.max(4, 3 / k));
  c.fillStyle = color;
  c.beginPath();
  c.roundRect(x, y, width, h, [7, 0, 0, 7]);
  c.fill();
}

function paintRing(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  w: number,
  h: number,
  state: CardState,
  palette: Palette,
  k: number,
): void {
  if (!state.selected && !state.focused && !state.hovered) return;
  context.globalAlpha = state.dimmed ? 0.6 : 1;
  context.strokeStyle = palette.accent;
  context.lineWidth = (state.selected || state.focused ? 2 : 1.2) / k;
  const off = state.focused ? 3 / k : 0;
  context.beginPath();
  context.roundRect(x - off, y - off, w + 2 * off, h + 2 * off, 7 + off);
  context.stroke();
}

/** Just the name, as large as the card allows. */
function paintName(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  w: number,
  h: number,
  face: Face,
  palette: Palette,
  k: number,
): void {
  const size = Math.min(h * 0.62, Math.max(13, NAME_PX_MIN / k));
  if (size * k < NAME_PX_MIN - 2) return;
  const inset = Math.min(34, 14 + 4 / k);
  context.fillStyle = palette.text;
  context.font = `560 ${size}px ${palette.font}`;
  context.textBaseline = "middle";
  context.fillText(fitted(context, face.title, w - inset - 8), x + inset, y + h / 2 - (face.bar.length > 0 ? 2 : 0));
  paintBar(context, x, y, w, h, face, palette);
}

function paintFull(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  w: number,
  h: number,
  face: Face,
  closed: boolean,
  palette: Palette,
  tone: number,
  turn: number,
): void {
  const first = y + (closed ? 20 : 18);
  const second = first + 18;
  const left = x + 14;
  let right = x + w - 10;
  context.textBaseline = "middle";
  if (face.kind !== "") {
    context.font = `500 10px ${palette.font}`;
    const kind = fitted(context, face.kind, 64);
    const width = context.measureText(kind).width + 10;
    context.fillStyle = palette.surface2;
    context.beginPath();
    context.roundRect(right - width, first - 8, width, 16, 4);
    context.fill();
    context.fillStyle = palette.dim;
    context.fillText(kind, right - width + 5, first + 0.5);
    right -= width + 6;
  }
  context.font = `580 12.5px ${palette.font}`;
  context.fillStyle = palette.text;
  context.fillText(fitted(context, face.title, right - left), left, first);
  right = x + w - 10;
  context.font = `500 11px ${palette.font}`;
  if (face.badge !== null) {
    const width = context.measureText(face.badge.text).width;
    context.fillStyle = palette.fg[toneNumber(face.badge.tone)]!;
    context.fillText(face.badge.text, right - width, second);
    right -= width + 8;
  }
  drawGlyph(context, face.glyph, left - 1, second - 7, palette.fg[tone]!, face.moving ? turn : 0);
  context.fillStyle = palette.fg[tone]!;
  const word = fitted(context, face.state, right - left - 18);
  context.fillText(word, left + 18, second);
  const at = left + 18 + context.measureText(word).width + 6;
  if (face.detail !== "" && right - at > 24) {
    context.font = `400 11px ${palette.font}`;
    context.fillStyle = palette.dim;
    context.fillText(fitted(context, face.detail, right - at), at, second);
  }
  paintBar(context, x, y, w, h, face, palette);
}

/** A name and what it is, on one line. */
function paintLine(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  w: number,
  h: number,
  face: Face,
  palette: Palette,
): void {
  context.textBaseline = "middle";
  context.font = `400 11px ${palette.font}`;
  const kind = fitted(context, face.kind, w * 0.4);
  const width = context.measureText(kind).width;
  context.fillStyle = palette.dim;
  context.fillText(kind, x + w - 10 - width, y + h / 2 + 0.5);
  context.font = `520 12px ${palette.font}`;
  context.fillStyle = palette.text;
  context.fillText(fitted(context, face.title, w - width - 34), x + 14, y + h / 2 + 0.5);
}

function paintBar(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  w: number,
  h: number,
  face: Face,
  palette: Palette,
): void {
  const total = face.bar.reduce((sum, share) => sum + share.count, 0);
  if (total === 0) return;
  const width = w - 24;
  let at = x + 14;
  for (const { tone, count } of face.bar) {
    const part = Math.max(1.5, (width * count) / total);
    context.fillStyle = palette.solid[toneNumber(tone)]!;
    context.fillRect(at, y + h - 6, Math.min(part, x + 14 + width - at), 3);
    at += part;
  }
}

const fits = new Map<string, string>();

/** A text that fits a width in the context's font, with an ellipsis where it had to be cut; its end says more. */
function fitted(context: CanvasRenderingContext2D, text: string, width: number): string {
  const key = `${context.font} ${Math.round(width)} ${text}`;
  const known = fits.get(key);
  if (known !== undefined) return known;
  if (fits.size > 20_000) fits.clear();
  const made = cut(context, text, width);
  fits.set(key, made);
  return made;
}

function cut(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let low = 0;
  let high = text.length;
  const with_ = (kept: number) => {
    const head = Math.ceil(kept * 0.4);
    return `${text.slice(0, head)}…${text.slice(text.length - (kept - head))}`;
  };
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (context.measureText(with_(middle)).width <= width) low = middle;
    else high = middle - 1;
  }
  return low === 0 ? "" : with_(low);
}

/** Fonts have come: what was measured is void. */
export function forgetMeasures(): void {
  fits.clear();
}
