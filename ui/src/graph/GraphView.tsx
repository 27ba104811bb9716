// A graph as a component: the canvas with what belongs around it. For those who do not see the canvas it is a list in
// which the arrow keys go along the edges: the focus stays on the list, and the option in focus says what it is.
import { ActionIcon, Tooltip } from "@mantine/core";
import { Maximize, Minus, Plus } from "lucide-react";
import { useEffect, useImperativeHandle, useLayoutEffect, useRef, useState, type KeyboardEvent, type Ref } from "react";
import classes from "./GraphView.module.css";
import type { Face } from "./face";
import { Input, type Wishes } from "./input";
import type { GraphInput, Layout } from "./model";
import { Nearby } from "./Nearby";
import { Minimap } from "./Minimap";
import { Stage, type FaceSource } from "./stage";
import { zoomed } from "./view";
import { nearestTo, stepFrom, type Step } from "./walk";

export interface GraphHandle {
  /** Look at everything, or at these nodes. */
  fit(keys?: readonly string[]): void;
  /** Bring a node into sight, or the closed group that shows it, and give it the focus. */
  reveal(key: string): void;
  focus(): void;
}

export interface GraphViewProps {
  graph: GraphInput;
  faces: FaceSource;
  /** Tones of the lanes, as numbers (palette.ts). */
  laneTones?: readonly number[];
  /** Ids of the selected nodes. */
  selected: ReadonlySet<string>;
  /** Ids of the nodes that stand out; null: all do. */
  lit?: ReadonlySet<string> | null;
  /** What the graph is, for those who hear it. */
  label: string;
  /** A node was clicked, or Enter pressed on it; null: nothing. `more`: add to the selection. */
  onPick(node: number | null, more: boolean): void;
  /** A frame was drawn around nodes. */
  onPickMany?(nodes: number[]): void;
  /** A node is to be opened: clicked twice. */
  onOpen?(node: number): void;
  /** A group is to be opened or closed. */
  onToggle(group: string): void;
  onLayout?(layout: Layout): void;
  handle?: Ref<GraphHandle>;
}

const STEPS: Record<string, Step> = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };

export function GraphView(props: GraphViewProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const field = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  const toggled = useRef<string | null>(null);
  const [stage, setStage] = useState<Stage | null>(null);
  const [layout, setLayout] = useState<Layout | null>(null);
  const [hovered, setHovered] = useState<{ key: string; x: number; y: number } | null>(null);
  const [focused, setFocused] = useState<string | null>(null);
  const [hasFocus, setHasFocus] = useState(false);
  const [frame, setFrame] = useState<{ x: number; y: number; w: number; h: number } | null>(null);

  useLayoutEffect(() => {
    latest.current = props;
  });

  const toggle = (key: string) => {
    toggled.current = key;
    latest.current.onToggle(key);
  };
  const act = useRef({ toggle });
  act.current.toggle = toggle;

  useLayoutEffect(() => {
    const made = new Stage(canvas.current!);
    made.onLayout = (found) => {
      setLayout(found);
      latest.current.onLayout?.(found);
    };
    const input = new Input(
      canvas.current!,
      made,
      wishesOf(made, latest, (key) => act.current.toggle(key), setHovered, setFocused, setFrame),
    );
    const size = () => {
      const { clientWidth: w, clientHeight: h } = field.current!;
      made.resize({ w, h }, Math.min(2, window.devicePixelRatio || 1));
    };
    size();
    const watcher = new ResizeObserver(size);
    watcher.observe(field.current!);
    setStage(made);
    return () => {
      watcher.disconnect();
      input.close();
      made.close();
    };
  }, []);

  const { graph, faces, laneTones, selected, lit = null } = props;
  useEffect(() => {
    void stage?.setGraph(graph, laneTones ?? [], toggled.current);
    toggled.current = null;
  }, [stage, graph, laneTones]);
  useEffect(() => stage?.setFaces(faces), [stage, faces]);
  useEffect(() => {
    stage?.setMarks({ selected, lit, focused: hasFocus ? focused : null, hovered: hovered?.key ?? null });
  }, [stage, selected, lit, focused, hasFocus, hovered]);
  useImperativeHandle(props.handle, () => handleOf(stage, latest, setFocused, () => list.current?.focus()), [stage]);

  const press = (event: KeyboardEvent) => {
    if (stage !== null && pressed(event, stage, focused, setFocused, latest.current, toggle)) event.preventDefault();
  };
  const zoom = (factor: number) =>
    stage?.fly(zoomed(stage.view, factor, { x: stage.screen.w / 2, y: stage.screen.h / 2 }, stage.kMin));
  const hoveredFace = faceOf(stage, layout, hovered?.key ?? null);

  return (
    <div ref={field} className={classes.field}>
      <canvas ref={canvas} className={classes.canvas} aria-hidden="true" />
      <div
        ref={list}
        className={classes.list}
        role="listbox"
        aria-label={props.label}
        aria-multiselectable="true"
        aria-activedescendant={focused === null ? undefined : "graph-focused"}
        tabIndex={0}
        onKeyDown={press}
        onFocus={() => {
          setHasFocus(true);
          if (stage?.layout && focused === null) setFocused(firstInSight(stage));
        }}
        onBlur={() => setHasFocus(false)}
      >
        {stage !== null && layout !== null && <Nearby stage={stage} layout={layout} focused={focused} />}
      </div>
      {frame !== null && (
        <div className={classes.frame} style={{ left: frame.x, top: frame.y, width: frame.w, height: frame.h }} />
      )}
      {hovered !== null && hoveredFace !== null && stage !== null && (
        <Tip face={hoveredFace} x={hovered.x} y={hovered.y} width={stage.screen.w} />
      )}
      <div className={classes.tools}>
        <Tool label="Zoom in" onClick={() => zoom(1.5)} icon={<Plus size={15} />} />
        <Tool label="Zoom out" onClick={() => zoom(1 / 1.5)} icon={<Minus size={15} />} />
        <Tool label="Show everything" onClick={() => stage?.fit()} icon={<Maximize size={14} />} />
      </div>
      {stage !== null && layout !== null && layout.keys.length > 12 && <Minimap stage={stage} />}
    </div>
  );
}

function Tool({ label, onClick, icon }: { label: string; onClick(): void; icon: React.ReactNode }) {
  return (
    <Tooltip label={label} position="left">
      <ActionIcon aria-label={label} onClick={onClick} size={28} variant="default">
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}

function Tip({ face, x, y, width }: { face: Face; x: number; y: number; width: number }) {
  return (
    <div
      className={classes.tip}
      style={{ left: Math.min(x + 14, Math.max(8, width - 280)), top: y + 16 }}
      aria-hidden="true"
    >
      <div className={classes.tipTitle}>{face.title}</div>
      <div className="b-dim">{[face.kind, face.state, face.detail, face.badge?.text].filter(Boolean).join(" · ")}</div>
    </div>
  );
}

// ---- what the user wishes ----

type Latest = { current: GraphViewProps };
type SetHovered = (hovered: { key: string; x: number; y: number } | null) => void;

function wishesOf(
  stage: Stage,
  latest: Latest,
  toggle: (key: string) => void,
  setHovered: SetHovered,
  setFocused: (key: string) => void,
  setFrame: (rect: { x: number; y: number; w: number; h: number } | null) => void,
): Wishes {
  const nodesOf = (items: number[]) => {
    const chosen = new Set(items);
    const found: number[] = [];
    stage.layout?.itemOf.forEach((item, node) => chosen.has(item) && found.push(node));
    return found;
  };
  return {
    hover: (hit, { x, y }) => setHovered(hit?.kind === "item" ? { key: stage.layout!.keys[hit.item]!, x, y } : null),
    pick: (hit, more) => {
      if (hit === null) latest.current.onPick(null, more);
      else if (hit.kind === "box") toggle(hit.box.key);
      else {
        const { node, keys } = stage.layout!;
        setFocused(keys[hit.item]!);
        if (node[hit.item]! >= 0) latest.current.onPick(node[hit.item]!, more);
        else if (more) latest.current.onPickMany?.(nodesOf([hit.item]));
        else toggle(keys[hit.item]!);
      }
    },
    open: (item) => {
      const node = stage.layout!.node[item]!;
      if (node >= 0) latest.current.onOpen?.(node);
    },
    pickMany: (items) => latest.current.onPickMany?.(nodesOf(items)),
    frame: setFrame,
  };
}

/** Whether a key meant something. */
function pressed(
  event: KeyboardEvent,
  stage: Stage,
  focused: string | null,
  setFocused: (key: string) => void,
  props: GraphViewProps,
  toggle: (key: string) => void,
): boolean {
  const { layout, links } = stage;
  if (layout === null || links === null || event.altKey || event.metaKey) return false;
  const at = focused === null ? -1 : layout.keys.indexOf(focused);
  const step = STEPS[event.key];
  if (step !== undefined) {
    const next = at < 0 ? nearestTo(layout, ...middleOf(stage)) : stepFrom(layout, links, at, step);
    if (next < 0) return true;
    setFocused(layout.keys[next]!);
    stage.reveal(next);
    return true;
  }
  if (event.key === "Enter" || event.key === " ") {
    if (at < 0) return false;
    const node = layout.node[at]!;
    if (node < 0) toggle(layout.keys[at]!);
    else props.onPick(node, event.key === " " || event.shiftKey);
    return true;
  }
  const middle = { x: stage.screen.w / 2, y: stage.screen.h / 2 };
  if (event.key === "+" || event.key === "=") stage.fly(zoomed(stage.view, 1.4, middle, stage.kMin));
  else if (event.key === "-") stage.fly(zoomed(stage.view, 1 / 1.4, middle, stage.kMin));
  else if (event.key === "0") stage.fit();
  else if (event.key === "Escape") props.onPick(null, false);
  else return false;
  return true;
}

function middleOf(stage: Stage): [number, number] {
  return [stage.view.x + stage.screen.w / stage.view.k / 2, stage.view.y + stage.screen.h / stage.view.k / 2];
}

function firstInSight(stage: Stage): string | null {
  const found = nearestTo(stage.layout!, ...middleOf(stage));
  return found < 0 ? null : stage.layout!.keys[found]!;
}

function faceOf(stage: Stage | null, layout: Layout | null, key: string | null): Face | null {
  if (stage === null || layout === null || key === null) return null;
  const item = layout.keys.indexOf(key);
  return item < 0 ? null : stage.face(item);
}

function handleOf(
  stage: Stage | null,
  latest: Latest,
  setFocused: (key: string) => void,
  focus: () => void,
): GraphHandle {
  const itemOf = (key: string) => {
    const { ids } = latest.current.graph;
    const direct = stage?.layout?.keys.indexOf(key) ?? -1;
    return direct >= 0 ? direct : (stage?.layout?.itemOf[ids.indexOf(key)] ?? -1);
  };
  return {
    fit: (keys) =>
      stage?.fit(
        true,
        keys?.map(itemOf).filter((item) => item >= 0),
      ),
    reveal: (key) => {
      const item = itemOf(key);
      if (stage?.layout == null || item < 0) return;
      setFocused(stage.layout.keys[item]!);
      stage.reveal(item);
    },
    focus,
  };
}
