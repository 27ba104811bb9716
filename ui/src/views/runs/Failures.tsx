// Why a run failed, before anything else: the first failures with their errors, each a way to its log.
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { CircleX } from "lucide-react";
import type { Schema } from "@/api/client";
import { itemsOf } from "@/api/pages";
import { runQueries } from "@/api/runs";
import { plural } from "@/app/format";
import classes from "./Failures.module.css";

const SHOWN = 3;
const FAILED = { state: ["failed" as const], limit: 20 };

export function Failures({ detail, onSelect }: { detail: Schema<"RunDetail">; onSelect(no: number): void }) {
  const { run, counts } = detail;
  const { data } = useInfiniteQuery(runQueries.tasks(run.id, FAILED));
  const all = itemsOf(data);
  // The body of a flow fails because of what it called: where that is known, it is the reason.
  const causes = all.filter((task) => task.kind !== "flow");
  const failed = (causes.length > 0 ? causes : all).slice(0, SHOWN);
  const more = (counts.failed ?? 0) - failed.length - (causes.length > 0 ? all.length - causes.length : 0);
  if (failed.length === 0)
    return run.error ? (
      <p className={`b-card ${classes.alone}`} role="alert">
        {run.error}
      </p>
    ) : null;
  return (
    <ul className={classes.failures} aria-label="Failures">
      {failed.map((task) => (
        <li key={task.no} className={`b-card ${classes.failure}`}>
          <CircleX size={16} aria-hidden className={classes.icon} />
          <div className={classes.text}>
            <div className={classes.what}>
              <strong>{task.key}</strong> {task.error ? `${task.error.type}: ${task.error.message}` : task.reason}
            </div>
            {task.error?.hint && <div className={classes.hint}>{task.error.hint}</div>}
            {task.error?.file && (
              <div className={`b-mono b-dim ${classes.where}`}>
                {task.error.file}:{task.error.line}
              </div>
            )}
          </div>
          <Button variant="default" onClick={() => onSelect(task.no)}>
            Look
          </Button>
        </li>
      ))}
      {more > 0 && <li className={classes.more}>and {plural(more, "more failure")}</li>}
    </ul>
  );
}
