// What the page and the graph worker say to each other.
import type { GraphInput, Layout } from "./model";
import type { FarColors } from "./paint";
import type { Rect } from "./view";

export type Ask =
  | { type: "layout"; id: number; input: GraphInput }
  | { type: "look"; tone: Uint8Array; lit: Uint8Array | null; colors: FarColors }
  | { type: "paint"; id: number; area: Rect; scale: number };

export type Answer =
  { type: "layout"; id: number; layout: Layout } | { type: "picture"; id: number; bitmap: ImageBitmap | null };
