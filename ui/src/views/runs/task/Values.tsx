// What a task run was given and what it gave, as far as that is recorded and may be shown.
import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Schema } from "@/api/client";
import { runQueries } from "@/api/runs";
import { plural, sizeText } from "@/app/format";
import type { Search } from "@/app/search";
import { ErrorView } from "@/components/ErrorView";
import { JsonView } from "@/components/json";
import classes from "./TaskPane.module.css";

type Shown = Schema<"ShownValue">;

const SOURCES: Record<string, string> = {
  parameter: "parameter of the run",
  argument: "argument",
  upstream: "output of",
  item: "item of",
  output: "",
  state: "what it remembers",
};
const KEPT: Record<string, string> = {
  large: "too large to be shown",
  pickled: "pickled: only a preview is shown",
  encrypted: "encrypted, since there is a secret in it",
  elsewhere: "in storage elsewhere",
  nowhere: "not kept",
  text: "recorded as a short text",
};

export function Values({ run, no }: { run: number; no: number }) {
  const { data, error, refetch } = useQuery(runQueries.values(run, no));
  if (error && !data) return <ErrorView error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={80} />;
  return (
    <div className={classes.values}>
      <div>
        <h3>Inputs</h3>
        {data.inputs.length === 0 ? (
          <p className="b-dim">It takes none, or none are recorded.</p>
        ) : (
          data.inputs.map((one, i) => <Value key={i} value={one} />)
        )}
        {data.more > 0 && <p className="b-dim">and {plural(data.more, "more input")}</p>}
      </div>
      <div>
        <h3>Output</h3>
        {data.output === null ? <p className="b-dim">It gave none.</p> : <Value value={data.output} />}
      </div>
    </div>
  );
}

function Value({ value }: { value: Shown }) {
  const { data } = value;
  const about = [
    value.length === null ? "" : plural(value.length, "item"),
    value.size > 0 ? sizeText(value.size) : "",
    KEPT[value.kept] ?? "",
    value.whole ? "" : "cut",
  ].filter(Boolean);
  return (
    <div className={classes.value}>
      <div className={classes.valueHead}>
        {value.task === null ? (
          <strong>{value.name || "value"}</strong>
        ) : (
          <>
            <span className="b-dim">{SOURCES[value.source]}</span>
            <Link
              to="."
              search={(before: Search) => ({ ...before, task: String(value.task), part: undefined })}
              className="b-link"
              resetScroll={false}
            >
              <strong>{value.name}</strong>
            </Link>
          </>
        )}
        <span className="b-dim">
          {[value.task === null ? SOURCES[value.source] : "", ...about].filter(Boolean).join(" · ")}
        </span>
      </div>
      {data !== null && data !== undefined ? (
        typeof data === "object" ? (
          <JsonView value={data} label={value.name || "Output"} />
        ) : (
          <pre className={classes.preview}>{typeof data === "string" ? data : JSON.stringify(data)}</pre>
        )
      ) : value.preview ? (
        <pre className={classes.preview}>{value.preview}</pre>
      ) : null}
    </div>
  );
}
