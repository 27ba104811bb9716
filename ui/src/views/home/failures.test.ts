import { expect, it } from "vitest";
import type { Run } from "@/api/runs";
import { failures } from "./failures";

const run = (id: number, job: string, location = "shop") => ({ id, job, location }) as Run;

it("puts the failures of a job together, the newest first", () => {
  const found = failures([run(1, "a"), run(5, "b"), run(3, "a"), run(4, "a", "other")]);
  expect(found.map(({ last, count }) => [last.id, count])).toEqual([[5, 1], [4, 1], [3, 2]]);
});
