// Colours of terminals: from SGR sequences (ECMA-48) to pieces of text with a style. Other sequences are left out.

export interface Style {
  /** 0 to 15: the terminal's own colours; else `#rrggbb`. */
  fg?: number | string;
  bg?: number | string;
  bold?: boolean;
  dim?: boolean;
  italic?: boolean;
  underline?: boolean;
  strike?: boolean;
}

export interface Piece {
  text: string;
  style: Style | null;
}

// CSI ... final byte; OSC ... BEL or ST; two-character escapes.
const SEQUENCE = /\u001b(?:\[([0-?]*)[ -/]*([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

/** The pieces of a text. Without sequences it is one piece, and nothing is searched twice. */
export function pieces(text: string): Piece[] {
  if (!text.includes("\u001b")) return text === "" ? [] : [{ text, style: null }];
  const found: Piece[] = [];
  let style: Style | null = null;
  let last = 0;
  const add = (piece: string) => {
    if (piece !== "") found.push({ text: piece, style });
  };
  for (const match of text.matchAll(SEQUENCE)) {
    add(text.slice(last, match.index));
    last = match.index + match[0].length;
    if (match[2] === "m") style = applied(style, match[1] ?? "");
  }
  add(text.slice(last));
  return found;
}

/** The text alone. */
export function plain(text: string): string {
  return text.includes("\u001b") ? text.replace(SEQUENCE, "") : text;
}

const SWITCHES: Record<number, Style> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  9: { strike: true },
  22: { bold: undefined, dim: undefined },
  23: { italic: undefined },
  24: { underline: undefined },
  29: { strike: undefined },
  39: { fg: undefined },
  49: { bg: undefined },
};

function applied(before: Style | null, parameters: string): Style | null {
  const codes = parameters.split(/[;:]/).map((part) => (part === "" ? 0 : Number(part)));
  let style: Style = { ...before };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === 0) style = {};
    else if (code === 38 || code === 48) {
      const [color, used] = extended(codes, i + 1);
      if (color !== undefined) style[code === 38 ? "fg" : "bg"] = color;
      i += used;
    } else if (code >= 30 && code <= 37) style.fg = code - 30;
    else if (code >= 40 && code <= 47) style.bg = code - 40;
    else if (code >= 90 && code <= 97) style.fg = code - 82;
    else if (code >= 100 && code <= 107) style.bg = code - 92;
    else Object.assign(style, SWITCHES[code]);
  }
  return Object.values(style).some((value) => value !== undefined) ? style : null;
}

/** A colour of 256 or of 16 million, and how many parameters it took. */
function extended(codes: number[], at: number): [number | string | undefined, number] {
  if (codes[at] === 5) return [indexed(codes[at + 1] ?? 0), 2];
  if (codes[at] !== 2) return [undefined, 1];
  return [hex(codes[at + 1] ?? 0, codes[at + 2] ?? 0, codes[at + 3] ?? 0), 4];
}

function indexed(n: number): number | string | undefined {
  if (n < 16) return n;
  if (n > 255) return undefined;
  if (n >= 232) return hex(...(Array(3).fill(8 + (n - 232) * 10) as [number, number, number]));
  const level = (value: number) => (value === 0 ? 0 : 55 + value * 40);
  return hex(level(Math.floor((n - 16) / 36)), level(Math.floor((n - 16) / 6) % 6), level((n - 16) % 6));
}

function hex(...parts: [number, number, number]): string {
  return `#${parts
    .map((part) =>
      Math.max(0, Math.min(255, part || 0))
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`;
}
