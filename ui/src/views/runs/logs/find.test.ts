import { describe, expect, it, vi } from "vitest";
import { findAround, findFrom } from "./source";

describe("findAround", () => {
  const places = [100, 400];
  const down = (offset: number) => Promise.resolve(places.find((place) => place >= offset) ?? null);

  it("finds the next", async () => {
    expect(await findAround(down, 101, 0)).toEqual({ found: 400, again: false });
  });

  it("begins again at the other end, and says so", async () => {
    expect(await findAround(down, 401, 0)).toEqual({ found: 100, again: true });
  });

  it("finds nothing where there is nothing", async () => {
    expect((await findAround(() => Promise.resolve(null), 5, 0)).found).toBeNull();
  });
});

describe("findFrom", () => {
  it("goes on where the server has looked through as much as it does at a time", async () => {
    const line = { at: "2026-01-31T12:00:00Z", level: "INFO", source: "", text: "needle", offset: 25, end: 30 };
    const asked: string[] = [];
    vi.stubGlobal("fetch", (request: Request) => {
      const offset = Number(new URL(request.url).searchParams.get("offset"));
      asked.push(String(offset));
      const found = offset + 10 > line.offset;
      const body = { task: "talk", attempt: 1, lines: found ? [line] : [], next: found ? 30 : offset + 10, size: 100 };
      return Promise.resolve(new Response(JSON.stringify(body), { headers: { "content-type": "application/json" } }));
    });
    const found = await findFrom({ run: 1, no: 1, attempt: 1 }, { text: "needle" }, 0, true);
    expect([found?.offset, asked]).toEqual([25, ["0", "10", "20"]]);
    expect((await findFrom({ run: 1, no: 1, attempt: 1 }, { text: "needle" }, 90, false))?.offset).toBe(25);
    vi.unstubAllGlobals();
  });
});
