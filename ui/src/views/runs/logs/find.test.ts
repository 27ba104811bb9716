import { describe, expect, it } from "vitest";
import { findAround } from "./source";

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
