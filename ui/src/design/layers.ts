// Colours of medallion layers. The three that everybody has are their metals; others take turns by their name.
import type { Tone } from "@/design/states";

const METALS: Record<string, Tone> = { bronze: "bronze", silver: "silver", gold: "gold" };
const OTHERS: Tone[] = ["teal", "violet", "slate", "rust", "brown"];

export function layerTone(layer: string): Tone {
  const name = layer.toLowerCase();
  if (!name) return "grey";
  const metal = METALS[name];
  if (metal) return metal;
  let sum = 0;
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return OTHERS[sum % OTHERS.length] ?? "grey";
}
