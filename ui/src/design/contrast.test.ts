// Reads tokens.css: whatever a tone is used for can be read, in both schemes.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync("src/design/tokens.css", "utf8");

function tokens(scheme: "light" | "dark"): Record<string, string> {
  const block = css.split(`:root[data-mantine-color-scheme="${scheme}"] {`)[1]?.split("}")[0] ?? "";
  return Object.fromEntries([...block.matchAll(/--b-([\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, name, value]) => [name, value]));
}

function luminance(hex: string): number {
  const parts = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  const [r, g, b] = parts.map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
}

function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}

describe.each(["light", "dark"] as const)("tones in the %s scheme", (scheme) => {
  const found = tokens(scheme);
  const tones = Object.keys(found).filter((name) => name.endsWith("-solid")).map((name) => name.slice(0, -6));
  const color = (name: string) => found[name] ?? "#000000";

  it("has all of them", () => expect(tones.length).toBeGreaterThanOrEqual(14));

  it.each(tones)("%s is readable", (tone) => {
    for (const ground of ["page", "surface", `${tone}-bg`]) {
      expect(contrast(color(`${tone}-fg`), color(ground)), `${tone}-fg on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
    expect(contrast(color(`${tone}-solid`), color("surface")), `${tone}-solid`).toBeGreaterThanOrEqual(3);
  });

  it.each(["text", "dim", "accent"])("%s is readable", (name) => {
    for (const ground of ["page", "surface", "surface-2", "hover", "selected"]) {
      expect(contrast(color(name), color(ground)), `${name} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
  });
});
