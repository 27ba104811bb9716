import { describe, expect, it } from "vitest";
import { inside } from "./inside";

describe("where one comes back to after the login", () => {
  it.each(["/runs?state=failed", "/assets/gold%2Frevenue", "/"])("%s", (place) => expect(inside(place)).toBe(place));
  it.each(["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "", "runs", "/login?next=/login"])(
    "never %s",
    (place) => expect(inside(place)).toBe("/"),
  );
});
