// The attempts of a task run, the last one first: when, where, and why each ended as it did.
import { Button } from "@mantine/core";
import type { Schema } from "@/api/client";
import { CodeBlock } from "@/components/CodeBlock";
import { StateBadge } from "@/components/StateBadge";
import { AbsoluteTime, Duration } from "@/components/time";
import classes from "./TaskPane.module.css";

type Detail = Schema<"TaskRunDetail">;
type Attempt = Schema<"Attempt">;

export function Attempts({
  detail,
  chosen,
  onChoose,
}: {
  detail: Detail;
  chosen: number;
  onChoose(attempt: number): void;
}) {
  const { task, attempts } = detail;
  if (attempts.length === 0) {
    return (
      <p className="b-dim">
        {task.reason || (task.state === "waiting" ? "It waits for what is before it." : "It has not been tried.")}
      </p>
    );
  }
  return (
    <ol className={classes.attempts}>
      {attempts.toReversed().map((one) => (
        <li key={one.attempt} data-chosen={one.attempt === chosen || undefined}>
          <div className={classes.attempt}>
            <strong>Attempt {one.attempt}</strong>
            <StateBadge state={one.outcome} />
            {one.started_at && <AbsoluteTime at={one.started_at} show="clock" />}
            <Duration seconds={secondsOf(one)} since={one.ended_at ? null : one.started_at} />
            {one.worker && <span className="b-mono b-dim">{one.worker}</span>}
            <span className={classes.space} />
            {one.logged && (
              <Button variant="subtle" onClick={() => onChoose(one.attempt)}>
                Log
              </Button>
            )}
          </div>
          {one.reason && <p className={classes.reason}>{one.reason}</p>}
          {one.error && <Failure error={one.error} open={one.attempt === attempts.at(-1)?.attempt} />}
        </li>
      ))}
    </ol>
  );
}

function secondsOf(one: Attempt): number | null {
  return one.started_at && one.ended_at ? (Date.parse(one.ended_at) - Date.parse(one.started_at)) / 1000 : null;
}

function Failure({ error, open }: { error: Schema<"TaskError">; open: boolean }) {
  return (
    <div className={classes.error}>
      <p className={classes.message}>
        <strong>{error.type || error.kind}</strong> {error.message}
      </p>
      {error.hint && <p className={classes.hint}>{error.hint}</p>}
      {error.file && (
        <p className="b-mono b-dim">
          {error.file}:{error.line}
        </p>
      )}
      {error.traceback &&
        (open ? (
          <CodeBlock text={error.traceback} language="python" height={420} />
        ) : (
          <details>
            <summary>Traceback</summary>
            <CodeBlock text={error.traceback} language="python" height={420} />
          </details>
        ))}
    </div>
  );
}
