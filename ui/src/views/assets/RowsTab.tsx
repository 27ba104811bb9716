import { TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { assetQueries } from "@/api/assets";
import type { Schema } from "@/api/client";
import { countText } from "@/app/format";
import { useUrlState } from "@/app/search";
import { EmptyState } from "@/components/EmptyState";
import { ErrorView } from "@/components/ErrorView";
import { RunLink } from "@/components/links";
import { Section } from "@/components/Page";
import { RelativeTime } from "@/components/time";
import classes from "./assets.module.css";

const URL = { partition: "" };

/** Some of its rows, as they were made last. */
export function RowsTab({ detail }: { detail: Schema<"AssetDetail"> }) {
  const [{ partition }, set] = useUrlState(URL);
  const [asked] = useDebouncedValue(partition, 300);
  const { data, error } = useQuery({ ...assetQueries.preview(detail.asset.key, asked || undefined), retry: false, placeholderData: (last) => last });
  const types = new Map(detail.columns.map((column) => [column[0], column[1]]));
  return (
    <Section
      flush
      title={data?.materialization ? <>{countText(data.rows.length)} rows{data.total !== null && <> of {countText(data.total)}</>}</> : "Rows"}
      actions={
        detail.asset.partitions !== null && (
          <TextInput aria-label="Partition" placeholder="Partition: the newest" value={partition} onChange={(event) => set({ partition: event.currentTarget.value })} />
        )
      }
    >
      {error && <ErrorView error={error} />}
      {data?.materialization && (
        <p className={`b-dim ${classes.note}`}>
          {data.materialization.partition && <><span className="b-mono">{data.materialization.partition}</span>, </>}
          made <RelativeTime at={data.materialization.at} /> by run <RunLink run={data.materialization.run} />
        </p>
      )}
      {data && !error && data.columns.length === 0 && (
        <EmptyState title="No rows were kept to be shown">Tables that are stored by an IO manager keep a few rows of each materialization.</EmptyState>
      )}
      {data && data.columns.length > 0 && (
        <div className={classes.table} tabIndex={0} role="region" aria-label="Rows">
          <table>
            <thead>
              <tr>
                {data.columns.map((column) => (
                  <th key={column} scope="col">
                    {column}
                    <span>{types.get(column)}</span>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data.rows.map((row, y) => (
                <tr key={y}>
                  {row.map((value, x) => (
                    <td key={x} data-number={typeof value === "number" || undefined}>
                      {value === null ? <span className="b-dim">null</span> : typeof value === "object" ? JSON.stringify(value) : String(value)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}
