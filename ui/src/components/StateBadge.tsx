import { lookOf, type Tone } from "@/design/states";
import { layerTone } from "@/design/layers";
import classes from "./StateBadge.module.css";

interface Props {
  state: string;
  /** In place of the state's own word. */
  label?: string;
  /** The icon alone; the word is its title. */
  compact?: boolean;
}

/** A state of a run, task run, asset, check, tick ...: icon and word, see design/states.ts. */
export function StateBadge({ state, label, compact }: Props) {
  const look = lookOf(state);
  const word = label ?? look.label;
  return (
    <span className={compact ? classes.dot : classes.badge} data-tone={look.tone} data-state={state} title={compact ? word : undefined}>
      <look.icon size={13} strokeWidth={2.4} className={look.moving ? classes.moving : undefined} aria-hidden />
      {compact ? <span className={classes.hidden}>{word}</span> : word}
    </span>
  );
}

/** A word in a tone of its own: a layer, a kind, a tag. */
export function Tag({ tone = "grey", children, title }: { tone?: Tone; children: React.ReactNode; title?: string }) {
  return (
    <span className={classes.tag} data-tone={tone} title={title}>
      {children}
    </span>
  );
}

export function LayerTag({ layer }: { layer: string }) {
  return layer ? <Tag tone={layerTone(layer)}>{layer}</Tag> : null;
}
