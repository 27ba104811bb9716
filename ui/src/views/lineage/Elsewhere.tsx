// What is selected in the lineage and is none of ours: a job elsewhere with its runs, a dataset with who touches it.
import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { externalQueries, type ExternalDatasetLink, type ExternalJob, type ExternalRun } from "@/api/external";
import { sizeText, countText, plural } from "@/app/format";
import { ErrorView } from "@/components/ErrorView";
import { JsonView } from "@/components/json";
import { KeyValue } from "@/components/KeyValue";
import { Markdown } from "@/components/Markdown";
import { StateBadge, Tag } from "@/components/StateBadge";
import { Duration, RelativeTime } from "@/components/time";
import type { LineageNode } from "./lineage";
import classes from "./Panel.module.css";

type Select = (ids: string[]) => void;

interface Props {
  node: LineageNode;
  onSelect: Select;
}

/** A job of Spark, dbt, Airflow, ...: how it is, its runs, what it reads and writes, all that is said of it. */
export function JobElsewhere({ node, onSelect }: Props) {
  const { data: job, error, refetch } = useQuery(externalQueries.job(node.elsewhere));
  if (error && !job) return <ErrorView error={error} retry={() => void refetch()} />;
  if (!job) return <Skeleton height={220} m="md" />;
  return (
    <div className={classes.body}>
      <div className={classes.line}>
        {job.state ? <StateBadge state={job.state} /> : <Tag>never ran</Tag>}
        {job.type && <Tag>{job.type}</Tag>}
      </div>
      {job.description && <Markdown text={job.description} />}
      <KeyValue
        facts={[
          ["Kind", "job elsewhere"],
          ["Namespace", job.namespace],
          ["Owners", job.owners.length > 0 && job.owners.join(", ")],
          ["Last heard", <RelativeTime key="at" at={job.last_at} />],
          ["Told by", job.producer || null],
        ]}
      />
      <Runs job={job} />
      <Datasets title="Reads" datasets={job.inputs} onSelect={onSelect} />
      <Datasets title="Writes" datasets={job.outputs} onSelect={onSelect} />
      <Facets facets={job.facets} />
    </div>
  );
}

function Runs({ job }: { job: ExternalJob & { states: Record<string, number> } }) {
  const { data } = useQuery(externalQueries.runs(job.key));
  const [open, setOpen] = useState<string>();
  const total = Object.values(job.states).reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  return (
    <section>
      <h3>{plural(total, "run")}</h3>
      <ul className={classes.checks}>
        {data?.items.map((run) => (
          <li key={run.id} className={classes.run}>
            <button
              type="button"
              className={classes.choose}
              aria-expanded={open === run.id}
              onClick={() => setOpen(open === run.id ? undefined : run.id)}
            >
              <StateBadge state={run.state} compact /> <RelativeTime at={run.began_at} />
              <Took run={run} />
            </button>
            {open === run.id && <RunElsewhere run={run.id} />}
          </li>
        ))}
      </ul>
      {data && total > data.items.length && <p className="b-dim">and {countText(total - data.items.length)} more</p>}
    </section>
  );
}

function Took({ run }: { run: ExternalRun }) {
  // Of some runs nothing but the end is told.
  return run.ended_at === null || run.ended_at === run.began_at ? null : (
    <span className="b-dim">
      {" · "}
      <Duration seconds={(Date.parse(run.ended_at) - Date.parse(run.began_at)) / 1000} />
    </span>
  );
}

function RunElsewhere({ run }: { run: string }) {
  const { data, error } = useQuery(externalQueries.run(run));
  if (error && !data) return <ErrorView error={error} />;
  if (!data) return <Skeleton height={60} />;
  return (
    <>
      <KeyValue
        facts={[
          ["Run", <span key="id" className="b-mono">{data.id}</span>],
          ["For", data.nominal_at || null],
          ["Started by", data.parent && `${data.parent.namespace}/${data.parent.name}`],
          ["Started", data.children.length > 0 && data.children.map((child) => child.name).join(", ")],
          ["Error", data.error || null],
          ...data.outputs
            .filter((one) => one.rows !== null || one.bytes !== null)
            .map((one): [string, string] => ["Wrote", wrote(one)]),
        ]}
      />
      <Facets facets={data.facets} />
    </>
  );
}

function wrote({ name, rows, bytes }: ExternalDatasetLink): string {
  const sizes = [rows !== null && plural(rows, "row"), bytes !== null && sizeText(bytes)];
  return `${name}: ${sizes.filter(Boolean).join(", ")}`;
}

function Datasets({
  title,
  datasets,
  onSelect,
}: {
  title: string;
  datasets: readonly ExternalDatasetLink[];
  onSelect: Select;
}) {
  if (datasets.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <ul className={classes.neighbours}>
        {datasets.map((one) => (
          <li key={one.key}>
            <button type="button" onClick={() => onSelect([one.asset])} title={`${one.namespace} ${one.name}`}>
              {one.asset}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Facets({ facets }: { facets: Record<string, unknown> }) {
  if (Object.keys(facets).length === 0) return null;
  return (
    <details>
      <summary>{plural(Object.keys(facets).length, "facet")}</summary>
      <JsonView value={facets} label="Facets" />
    </details>
  );
}

/** A dataset that is no asset of ours: its columns, and the jobs elsewhere that touch it. */
export function DatasetElsewhere({ node, onSelect }: Props) {
  const { data, error, refetch } = useQuery(externalQueries.dataset(node.elsewhere));
  if (error && !data) return <ErrorView error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={220} m="md" />;
  return (
    <div className={classes.body}>
      {data.description && <Markdown text={data.description} />}
      <KeyValue
        facts={[
          ["Kind", "dataset elsewhere"],
          ["Namespace", data.namespace],
          ["Name", data.name],
          ["Owners", data.owners.length > 0 && data.owners.join(", ")],
          ["Last heard", <RelativeTime key="at" at={data.last_at} />],
        ]}
      />
      <Jobs title="Written by" jobs={data.writers} onSelect={onSelect} />
      <Jobs title="Read by" jobs={data.readers} onSelect={onSelect} />
      {data.columns.length > 0 && (
        <section>
          <h3>{plural(data.columns.length, "column")}</h3>
          <ul className={classes.columns}>
            {data.columns.slice(0, 40).map((column) => (
              <li key={column.name} title={column.description}>
                <span className="b-mono">{column.name}</span>
                <span className="b-dim">{column.type}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <Facets facets={data.facets} />
    </div>
  );
}

/** The jobs elsewhere that touch an asset of ours. */
export function TouchedElsewhere({ node, onSelect }: Props) {
  const { data } = useQuery({ ...externalQueries.dataset(node.elsewhere), enabled: node.elsewhere !== "" });
  return (
    <>
      <Jobs title="Written elsewhere by" jobs={data?.writers ?? []} onSelect={onSelect} />
      <Jobs title="Read elsewhere by" jobs={data?.readers ?? []} onSelect={onSelect} />
    </>
  );
}

function Jobs({ title, jobs, onSelect }: { title: string; jobs: readonly ExternalJob[]; onSelect: Select }) {
  if (jobs.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <ul className={classes.neighbours}>
        {jobs.map((job) => (
          <li key={job.key}>
            <button type="button" onClick={() => onSelect([job.node])} title={job.namespace}>
              {job.state && <StateBadge state={job.state} compact />} {job.name}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
