// The graph in words, for screen readers: the item in focus and what is around it, as options of the graph's listbox.
import type { Layout } from "./model";
import { neighbours } from "./reach";
import type { Stage } from "./stage";

const SHOWN_MAX = 30;

export function Nearby(props: { stage: Stage; layout: Layout; focused: string | null }) {
  const { stage, layout, focused } = props;
  const at = focused === null ? -1 : layout.keys.indexOf(focused);
  const shown = at < 0 ? [...layout.keys.keys()].slice(0, SHOWN_MAX) : around(stage, at);
  return shown.map((item) => (
    <div
      key={layout.keys[item]}
      id={item === at ? "graph-focused" : undefined}
      role="option"
      aria-selected={stage.isSelected(item)}
    >
      {wordsOf(stage, layout, item)}
    </div>
  ));
}

function around(stage: Stage, at: number): number[] {
  const { links } = stage;
  if (links === null) return [at];
  return [...new Set([at, ...neighbours(links.ups, at), ...neighbours(links.downs, at)])].slice(0, SHOWN_MAX);
}

/** `gold.revenue, asset, stale, 3 h ago; 2 upstream, 4 downstream`. */
export function wordsOf(stage: Stage, layout: Layout, item: number): string {
  const face = stage.face(item);
  const links = stage.links;
  const what =
    face === null
      ? layout.keys[item]
      : [face.title, face.kind, face.state, face.detail, face.badge?.text].filter(Boolean).join(", ");
  const group = layout.node[item]! < 0 ? `, closed group of ${layout.members[item]}` : "";
  if (links === null) return `${what}${group}`;
  const [up, down] = [neighbours(links.ups, item).length, neighbours(links.downs, item).length];
  return `${what}${group}; ${up} upstream, ${down} downstream`;
}
