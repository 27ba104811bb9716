// One column: what it is, what it is made from and into, and what a change of it would affect.
import { ActionIcon, Skeleton, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { lineageQueries } from "@/api/assets";
import type { Schema } from "@/api/client";
import { plural } from "@/app/format";
import { ErrorView } from "@/components/ErrorView";
import { AssetLink, JobLink } from "@/components/links";
import { LayerTag, Tag } from "@/components/StateBadge";
import { idOf, nameOf, neighboursOf, type ColumnGraph, type Made } from "./columns";
import classes from "./Panel.module.css";

const TELLERS: Record<string, string> = {
  declared: "declared by its author",
  definition: "read from its query",
  run: "told by the run that made it last",
};

export function ColumnPanel({ graph, id, onChoose }: { graph: ColumnGraph; id: string; onChoose(id: string): void }) {
  const node = graph.nodes.find((one) => idOf(one) === id);
  const about = graph.assets.find((one) => one.asset === node?.asset);
  if (node === undefined) return null;
  return (
    <aside className={`b-card ${classes.panel}`} aria-label="Column">
      <header className={classes.head}>
        <h2>{nameOf(node.column)}</h2>
        <Tooltip label="Close">
          <ActionIcon aria-label="Close the column" onClick={() => onChoose("")}>
            <X size={16} />
          </ActionIcon>
        </Tooltip>
      </header>
      <div className={classes.body}>
        <div className={classes.line}>
          <AssetLink asset={node.asset} />
          <LayerTag layer={node.layer} />
          {node.type && <Tag>{node.type}</Tag>}
        </div>
        {node.description && <p className={classes.text}>{node.description}</p>}
        {about !== undefined && about.teller !== "" && <p className="b-dim">{TELLERS[about.teller]}</p>}
        {about !== undefined && about.gaps.length > 0 && (
          <ul className={classes.reasons}>
            {about.gaps.map((gap) => (
              <li key={gap}>{gap}</li>
            ))}
          </ul>
        )}
        <Columns title="Made from" made={neighboursOf(graph, id, "up")} onChoose={onChoose} />
        <Columns title="Made into" made={neighboursOf(graph, id, "down")} onChoose={onChoose} />
        {node.column !== "" && node.column !== "*" && <Impact id={id} />}
      </div>
    </aside>
  );
}

function Columns({ title, made, onChoose }: { title: string; made: Made[]; onChoose(id: string): void }) {
  if (made.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <ul className={classes.columns}>
        {made.map(({ node, how }) => (
          <li key={`${idOf(node)} ${how}`}>
            <button type="button" className={classes.choose} onClick={() => onChoose(idOf(node))}>
              {node.asset}
              <b>.{nameOf(node.column)}</b>
            </button>
            {how !== "identity" && <span className="b-dim">{how}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

const HOW: Record<string, string> = {
  values: "values come from it",
  rows: "its rows are decided by it",
  unknown: "perhaps: its columns are not known",
};

function Impact({ id }: { id: string }) {
  const { data, error, refetch } = useQuery({ ...lineageQueries.impact(id), retry: false });
  if (error) return <ErrorView error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={60} />;
  const all = [...data.assets, ...data.exposures];
  return (
    <section>
      <h3>A change of it affects</h3>
      {all.length === 0 && data.checks.length === 0 && data.jobs.length === 0 ? (
        <p className="b-dim">nothing that is known of</p>
      ) : (
        <ul className={classes.affected}>
          {all.map((one) => (
            <Affected key={one.key} one={one} />
          ))}
          {data.checks.length > 0 && (
            <li>
              {plural(data.checks.length, "check")}: {data.checks.join(", ")}
            </li>
          )}
          {data.jobs.length > 0 && (
            <li>
              {plural(data.jobs.length, "job")}:{" "}
              {data.jobs.map((job, i) => (
                <span key={job}>
                  {i > 0 && ", "}
                  <JobLink job={job} />
                </span>
              ))}
            </li>
          )}
        </ul>
      )}
    </section>
  );
}

function Affected({ one }: { one: Schema<"AffectedAsset"> }) {
  return (
    <li>
      <AssetLink asset={one.key} />
      <span className="b-dim">
        {" "}
        {HOW[one.how]}
        {one.columns.length > 0 && `: ${one.columns.join(", ")}`}
      </span>
    </li>
  );
}
