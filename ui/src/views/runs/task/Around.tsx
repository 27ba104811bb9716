// What a task run stands between: steps before and after, assets that it reads and writes, its code.
import type { Schema } from "@/api/client";
import { KeyValue } from "@/components/KeyValue";
import { AssetLink } from "@/components/links";
import { StateBadge } from "@/components/StateBadge";
import classes from "./TaskPane.module.css";

export function Around({ detail }: { detail: Schema<"TaskRunDetail"> }) {
  const { task } = detail;
  const assets = (keys: readonly string[]) =>
    keys.length > 0 && (
      <span className={classes.names}>
        {keys.map((key) => (
          <AssetLink key={key} asset={key} />
        ))}
      </span>
    );
  const steps = (names: readonly string[]) =>
    names.length > 0 ? (
      <span className={classes.names}>
        {names.map((name) => (
          <span key={name} className="b-mono">
            {name}
          </span>
        ))}
      </span>
    ) : (
      <span className="b-dim">nothing</span>
    );
  return (
    <KeyValue
      facts={[
        [
          "State",
          <span key="state">
            <StateBadge state={task.state} /> {task.reason}
          </span>,
        ],
        [
          "Code",
          <span key="code" className="b-mono">
            {task.code}
          </span>,
        ],
        ["Waits for", steps(detail.upstream)],
        ["Waited for by", steps(detail.downstream)],
        ["Reads", assets(detail.reads)],
        ["Writes", assets(detail.writes)],
        ...detail.links.map((link): [string, React.ReactNode] => [
          link.title,
          <a key={link.url} href={link.url} target="_blank" rel="noreferrer noopener">
            {link.url}
          </a>,
        ]),
      ]}
    />
  );
}
