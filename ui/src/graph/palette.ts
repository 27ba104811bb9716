// The colours that canvases paint with, read from the tokens of the page, so that they follow its scheme.
import type { Tone } from "@/design/states";

export const TONES: readonly Tone[] = [
  "green",
  "red",
  "blue",
  "grey",
  "orange",
  "violet",
  "amber",
  "brown",
  "slate",
  "rust",
  "teal",
  "bronze",
  "silver",
  "gold",
];

/** The number of a tone in typed arrays. */
export function toneNumber(tone: Tone): number {
  return TONES.indexOf(tone);
}

export interface Palette {
  dark: boolean;
  page: string;
  surface: string;
  surface2: string;
  border: string;
  borderStrong: string;
  text: string;
  dim: string;
  accent: string;
  selected: string;
  solid: string[];
  bg: string[];
  fg: string[];
  font: string;
  mono: string;
}

export function readPalette(element: HTMLElement = document.documentElement): Palette {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(`--b-${name}`).trim() || "#888888";
  const tones = (part: string) => TONES.map((tone) => token(`${tone}-${part}`));
  return {
    dark: element.dataset.mantineColorScheme === "dark",
    page: token("page"),
    surface: token("surface"),
    surface2: token("surface-2"),
    border: token("border"),
    borderStrong: token("border-strong"),
    text: token("text"),
    dim: token("dim"),
    accent: token("accent"),
    selected: token("selected"),
    solid: tones("solid"),
    bg: tones("bg"),
    fg: tones("fg"),
    font: style.getPropertyValue("--mantine-font-family").trim() || "system-ui, sans-serif",
    mono: style.getPropertyValue("--b-mono").trim() || "monospace",
  };
}

/** Call back when the page's scheme changes; returns how to stop that. */
export function watchPalette(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-mantine-color-scheme"] });
  return () => observer.disconnect();
}
