import { describe, expect, it } from "vitest";
import { pieces, plain } from "./ansi";

const ESC = "\u001b";

describe("pieces", () => {
  it("is one piece without sequences, and none of nothing", () => {
    expect(pieces("plain [31m]")).toEqual([{ text: "plain [31m]", style: null }]);
    expect(pieces("")).toEqual([]);
  });

  it("takes colours until they end", () => {
    expect(pieces(`a${ESC}[31mred${ESC}[0mb`)).toEqual([
      { text: "a", style: null },
      { text: "red", style: { fg: 1 } },
      { text: "b", style: null },
    ]);
    expect(pieces(`${ESC}[31mred${ESC}[mb`).at(-1)).toEqual({ text: "b", style: null });
  });

  it("adds up styles and takes back single ones", () => {
    const found = pieces(`${ESC}[1;4;34;102mx${ESC}[22my${ESC}[39;49;24mz`);
    expect(found.map((piece) => piece.style)).toEqual([
      { bold: true, underline: true, fg: 4, bg: 10 },
      { underline: true, fg: 4, bg: 10 },
      null,
    ]);
  });

  it("knows 256 and 16 million colours", () => {
    const colors = (codes: string) => pieces(`${ESC}[${codes}mx`)[0]?.style;
    expect(colors("38;5;9")).toEqual({ fg: 9 });
    expect(colors("38;5;196")).toEqual({ fg: "#ff0000" });
    expect(colors("48;5;244")).toEqual({ bg: "#808080" });
    expect(colors("38;2;1;2;255;1")).toEqual({ fg: "#0102ff", bold: true });
    expect(colors("38;5;999")).toBeNull();
    expect(colors("38")).toBeNull();
  });

  it("leaves other sequences out: cursors, titles, links", () => {
    const text = `${ESC}[2K${ESC}[1Gdone${ESC}]0;title${"\u0007"}!${ESC}]8;;http://x${ESC}\\link${ESC}]8;;${ESC}\\`;
    expect(
      pieces(text)
        .map((piece) => piece.text)
        .join(""),
    ).toBe("done!link");
    expect(plain(text)).toBe("done!link");
  });

  it("shows what is cut off in the middle as it is", () => {
    expect(plain(`a${ESC}[3`)).toBe(`a${ESC}[3`);
  });
});
