import { expect, it } from "vitest";
import { tagsFrom } from "./tags";

it("tags are read as they are written", () => {
  expect(tagsFrom("team=growth, urgent ,url=a=b,")).toEqual({ team: "growth", urgent: "", url: "a=b" });
  expect(tagsFrom("")).toEqual({});
});
