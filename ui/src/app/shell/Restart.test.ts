import { expect, it } from "vitest";
import { differing } from "@/app/shell/Restart";

it("is said what waits for a restart, each once, and what is wrong before that", () => {
  expect(differing([])).toBeNull();
  expect(differing([{ waiting_for_restart: [], configuration_error: "" }])).toBeNull();
  const waits = [
    { waiting_for_restart: ["store.url", "server.port"], configuration_error: "" },
    { waiting_for_restart: ["server.port"], configuration_error: "" },
  ];
  expect(differing(waits)).toEqual({ error: "", names: ["server.port", "store.url"] });
  expect(differing([...waits, { waiting_for_restart: [], configuration_error: "line 3: no" }])?.error).toBe("line 3: no");
});
