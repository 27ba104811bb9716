import { expect, it } from "vitest";
import { textOf, valueOf } from "./value";

it.each([["plain text"], [""], ["12"], ["true"], [12], [true], [null], [[1, 2]], [{ a: "b" }]])("%j comes back as it was", (value) => {
  expect(valueOf(textOf(value))).toEqual(value);
});

it("texts need no quotes", () => {
  expect(textOf("plain text")).toBe("plain text");
  expect(textOf("12")).toBe('"12"');
});
