// What lies over the picture and keeps its size: the names of lanes and groups, and the map of the whole.
import { BOX_HEAD, type Layout } from "./model";
import type { Palette } from "./palette";
import type { Rect, Size, View } from "./view";

const TITLE_H = 18;

/** Names of lanes at the upper edge, and of open groups at their upper left corner. */
export function paintTitles(
  context: CanvasRenderingContext2D,
  layout: Layout,
  palette: Palette,
  laneTones: readonly number[],
  view: View,
  screen: Size,
): void {
  context.textBaseline = "middle";
  for (const box of layout.boxes) {
    const x = (box.x - view.x) * view.k;
    const y = (box.y - view.y) * view.k;
    const w = box.w * view.k;
    const h = box.h * view.k;
    if (x > screen.w || y > screen.h || x + w < 0 || y + h < 0 || w < 46 || h < 20) continue;
    // Within the head of the box, or on its edge where that is too small.
    const head = BOX_HEAD * view.k;
    const middle = head >= TITLE_H ? y + head / 2 : y - 9;
    const left = Math.max(x, 0) + (head >= TITLE_H ? 10 : 2);
    paintBoxTitle(context, box.title, box.members, left, Math.max(middle, 14), x + w - 4, palette, view.k);
  }
  for (const lane of layout.lanes) {
    const x = (lane.x - view.x) * view.k;
    const w = lane.w * view.k;
    if (x > screen.w || x + w < 0) continue;
    paintLaneTitle(context, lane.title, lane.members, x, w, laneTones[lane.lane] ?? 3, palette, screen);
  }
}

function paintBoxTitle(
  context: CanvasRenderingContext2D,
  title: string,
  members: number,
  x: number,
  y: number,
  right: number,
  palette: Palette,
  k: number,
): void {
  context.save();
  context.beginPath();
  context.rect(x - 8, y - 12, right - x + 8, 24);
  context.clip();
  context.strokeStyle = palette.dim;
  context.lineWidth = 1.6;
  context.beginPath();
  context.moveTo(x, y - 2);
  context.lineTo(x + 3.5, y + 2);
  context.lineTo(x + 7, y - 2);
  context.stroke();
  context.font = `600 ${k > 0.35 ? 12 : 11}px ${palette.font}`;
  context.fillStyle = palette.text;
  context.fillText(title, x + 13, y);
  const width = context.measureText(title).width;
  context.font = `400 11px ${palette.font}`;
  context.fillStyle = palette.dim;
  context.fillText(String(members), x + 19 + width, y + 0.5);
  context.restore();
}

function paintLaneTitle(
  context: CanvasRenderingContext2D,
  title: string,
  members: number,
  x: number,
  w: number,
  tone: number,
  palette: Palette,
  screen: Size,
): void {
  const left = Math.max(x, 0);
  const right = Math.min(x + w, screen.w);
  if (right - left < 24) return;
  context.save();
  context.beginPath();
  context.rect(left, 0, right - left, 34);
  context.clip();
  const name = title.charAt(0).toUpperCase() + title.slice(1);
  const count = members.toLocaleString("en-US");
  context.font = `500 11px ${palette.font}`;
  const countWidth = context.measureText(count).width;
  context.font = `620 12.5px ${palette.font}`;
  const width = context.measureText(name).width;
  context.globalAlpha = 0.94;
  context.fillStyle = palette.bg[tone]!;
  context.beginPath();
  context.roundRect(left + 8, 7, Math.min(width + countWidth + 40, right - left - 16), 24, 12);
  context.fill();
  context.globalAlpha = 1;
  context.fillStyle = palette.solid[tone]!;
  context.beginPath();
  context.arc(left + 20, 19, 4, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = palette.fg[tone]!;
  context.fillText(name, left + 30, 19.5);
  context.font = `500 11px ${palette.font}`;
  context.fillText(count, left + 36 + width, 19.5);
  context.restore();
}

const MAP_PAD = 6;
/** More items than that are painted by the worker alone. */
const PLAIN_MAX = 600;

/** The map: the whole graph small, with the part that is looked at. */
export function drawMinimap(
  context: CanvasRenderingContext2D,
  layout: Layout,
  tone: Uint8Array,
  palette: Palette,
  overview: ImageBitmap | null,
  area: Rect,
): void {
  const { width, height } = context.canvas;
  const ratio = width / Math.max(1, context.canvas.clientWidth);
  const place = mapPlace(layout, width, height, MAP_PAD * ratio);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, width, height);
  context.setTransform(place.k, 0, 0, place.k, place.x, place.y);
  for (const box of layout.boxes) {
    context.fillStyle = palette.surface2;
    context.fillRect(box.x, box.y, box.w, box.h);
  }
  if (overview !== null) context.drawImage(overview, 0, 0, layout.width, layout.height);
  else if (layout.keys.length <= PLAIN_MAX) {
    for (let i = 0; i < layout.keys.length; i++) {
      context.fillStyle = palette.solid[tone[i]!] ?? palette.dim;
      context.fillRect(layout.x[i]!, layout.y[i]!, layout.w[i]!, layout.h[i]!);
    }
  }
  context.lineWidth = (1.5 * ratio) / place.k;
  context.strokeStyle = palette.accent;
  context.fillStyle = palette.accent;
  context.globalAlpha = 0.1;
  context.fillRect(area.x, area.y, area.w, area.h);
  context.globalAlpha = 1;
  context.strokeRect(area.x, area.y, area.w, area.h);
}

/** Where the world lies in a map of that size: `x`, `y` of its corner, and pixels per unit. */
export function mapPlace(layout: Layout, width: number, height: number, pad: number) {
  const k = Math.min((width - 2 * pad) / Math.max(1, layout.width), (height - 2 * pad) / Math.max(1, layout.height));
  return { k, x: (width - layout.width * k) / 2, y: (height - layout.height * k) / 2 };
}
