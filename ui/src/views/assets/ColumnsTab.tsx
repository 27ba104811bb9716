import { useQuery } from "@tanstack/react-query";
import { assetQueries } from "@/api/assets";
import type { Schema } from "@/api/client";
import { EmptyState } from "@/components/EmptyState";
import { RunLink } from "@/components/links";
import { Section } from "@/components/Page";
import { StateBadge, Tag } from "@/components/StateBadge";
import { AbsoluteTime } from "@/components/time";
import classes from "./assets.module.css";

/** Its columns as last made, and when they changed. */
export function ColumnsTab({ detail }: { detail: Schema<"AssetDetail"> }) {
  const changes = useQuery(assetQueries.schemaChanges(detail.asset.key));
  if (detail.columns.length === 0 && !changes.data?.length)
    return <EmptyState title="Its columns are not known">They are noted when a table is stored by an IO manager.</EmptyState>;
  const terms = termsByColumn(detail.terms);
  return (
    <div className={classes.columns}>
      <Section flush title={`${detail.columns.length} columns`}>
        <div className={classes.table}>
          <table>
            <thead>
              <tr>
                <th scope="col">Column</th>
                <th scope="col">Type</th>
                {terms.size > 0 && <th scope="col">Term</th>}
              </tr>
            </thead>
            <tbody>
              {detail.columns.map(([name, type]) => (
                <tr key={name}>
                  <td>{name}</td>
                  <td className="b-mono">{type}</td>
                  {terms.size > 0 && <td>{terms.get(name ?? "")?.map((term) => <Tag key={term.name} title={term.meaning}>{term.name}</Tag>)}</td>}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Section>
      <Section title="Changes">
        {changes.data?.length === 0 && <p className="b-dim">Its columns never changed.</p>}
        {changes.data?.map((change) => (
          <div key={change.run} className={classes.change}>
            <div>
              <AbsoluteTime at={change.at} show="minute" /> · <RunLink run={change.run} />
              {change.breaking.length > 0 && <StateBadge state="warning" label="May break readers" />}
            </div>
            {change.added.map(([name, type]) => <div key={name}><Tag tone="green">added</Tag> {name} <span className="b-mono b-dim">{type}</span></div>)}
            {change.removed.map(([name, type]) => <div key={name}><Tag tone="red">removed</Tag> {name} <span className="b-mono b-dim">{type}</span></div>)}
            {change.breaking.map((text) => <div key={text} className="b-dim">{text}</div>)}
            {change.changed.map(([name, old, now]) => <div key={name}><Tag tone="amber">changed</Tag> {name} <span className="b-mono b-dim">{old} → {now}</span></div>)}
          </div>
        ))}
      </Section>
    </div>
  );
}

function termsByColumn(terms: Schema<"TermOfAsset">[]): Map<string, Schema<"TermOfAsset">[]> {
  const found = new Map<string, Schema<"TermOfAsset">[]>();
  for (const term of terms) for (const column of term.columns) found.set(column, [...(found.get(column) ?? []), term]);
  return found;
}
