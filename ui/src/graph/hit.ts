// What is below the pointer. A look at every item is quick enough: 10,000 take a few hundredths of a millisecond.
import { BOX_HEAD, type GroupBox, type Layout } from "./model";
import { toWorld, type Rect, type View } from "./view";

export type Hit = { kind: "item"; item: number } | { kind: "box"; box: GroupBox } | null;

const TITLE_PX = 18;
const SLACK_PX = 3;

/** The item at a point of the screen, or the group whose title is there. */
export function hitAt(layout: Layout, view: View, x: number, y: number): Hit {
  const point = toWorld(view, x, y);
  // Small items are hard to meet: a little beside them counts, too.
  const slack = SLACK_PX / view.k;
  for (let i = layout.keys.length - 1; i >= 0; i--) {
    if (point.x < layout.x[i]! - slack || point.x > layout.x[i]! + layout.w[i]! + slack) continue;
    if (point.y >= layout.y[i]! - slack && point.y <= layout.y[i]! + layout.h[i]! + slack)
      return { kind: "item", item: i };
  }
  // Where it is too small for its title, that stands above it.
  const above = BOX_HEAD * view.k < TITLE_PX ? TITLE_PX / view.k : 0;
  for (const box of layout.boxes.toReversed()) {
    if (point.x < box.x || point.x > box.x + box.w || point.y < box.y - above || point.y > box.y + BOX_HEAD) continue;
    return { kind: "box", box };
  }
  return null;
}

/** The items that lie in a part of the world, whole or in part. */
export function itemsIn(layout: Layout, area: Rect): number[] {
  const found: number[] = [];
  for (let i = 0; i < layout.keys.length; i++) {
    if (layout.x[i]! >= area.x + area.w || layout.x[i]! + layout.w[i]! <= area.x) continue;
    if (layout.y[i]! < area.y + area.h && layout.y[i]! + layout.h[i]! > area.y) found.push(i);
  }
  return found;
}
