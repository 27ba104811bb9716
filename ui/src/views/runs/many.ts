// One thing done to many runs: as much as can be is done, and what could not be is said once.
import { notifications } from "@mantine/notifications";
import { useAct } from "@/api/act";
import { call, client } from "@/api/client";
import { keys } from "@/api/keys";
import { words } from "@/api/problem";
import { plural } from "@/app/format";

const CHANGES = [keys.runs.all, keys.jobs.all, keys.home, keys.timelines, keys.queue];
const AT_ONCE = 6;

const ACTS = {
  cancel: (run: number) =>
    call(client.POST("/api/v1/runs/{run_id}/cancel", { params: { path: { run_id: run } }, body: { hard: false } })),
  retry: (run: number) =>
    call(client.POST("/api/v1/runs/{run_id}/retry", { params: { path: { run_id: run } }, body: { tasks: null } })),
};
const DONE = { cancel: "being cancelled", retry: "retried" };

export function useMany(what: keyof typeof ACTS, done: () => void) {
  return useAct({
    act: async (runs: readonly number[]) => {
      const failures = await each(runs, ACTS[what]);
      const good = runs.length - failures.length;
      if (good > 0)
        notifications.show({
          message: `${plural(good, "run")} ${good === 1 ? "is" : "are"} ${DONE[what]}`,
          color: "green",
        });
      if (failures.length > 0) {
        const { what: first, hint } = words(failures[0]);
        notifications.show({
          title: `${plural(failures.length, "run")} could not be`,
          message: [first, hint].filter(Boolean).join(": "),
          color: "red",
          autoClose: 10_000,
        });
      }
      done();
    },
    changes: CHANGES,
  });
}

/** Do it to all, a few at once; what went wrong. */
async function each(runs: readonly number[], act: (run: number) => Promise<unknown>): Promise<unknown[]> {
  const failures: unknown[] = [];
  const left = [...runs];
  const worker = async () => {
    for (let run = left.shift(); run !== undefined; run = left.shift())
      await act(run).catch((error: unknown) => failures.push(error));
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, runs.length) }, worker));
  return failures;
}
