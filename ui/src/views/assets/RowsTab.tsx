// Rows of an asset: those that were reported when it was made, or, where somebody asks, as they are where it is kept.
import { Button, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Table2 } from "lucide-react";
import type { ReactNode } from "react";
import { assetQueries } from "@/api/assets";
import type { Schema } from "@/api/client";
import { countText } from "@/app/format";
import { useUrlState } from "@/app/search";
import { EmptyState } from "@/components/EmptyState";
import { ErrorView } from "@/components/ErrorView";
import { RunLink } from "@/components/links";
import { Section } from "@/components/Page";
import { PermissionGate } from "@/components/PermissionGate";
import { RelativeTime } from "@/components/time";
import classes from "./assets.module.css";

const URL = { partition: "", read: "", version: "" };

export function RowsTab({ detail }: { detail: Schema<"AssetDetail"> }) {
  const [{ partition, read, version }, set] = useUrlState(URL);
  const [asked] = useDebouncedValue(partition, 300);
  const { key, location, partitions } = detail.asset;
  const reported = useQuery({ ...assetQueries.preview(key, asked || undefined), retry: false, placeholderData: (last) => last });
  const made = reported.data?.materialization;
  const now = useQuery({ ...assetQueries.rows(key, { partition: asked || undefined, version: version || undefined }), enabled: read !== "" && !!made, retry: false });
  const shown = read ? now.data : reported.data;
  const error = reported.error ?? (read ? now.error : null);
  const types = new Map(detail.columns.map((column) => [column[0], column[1]]));
  return (
    <Section
      flush
      title={shown && shown.columns.length > 0 ? <>{countText(shown.rows.length)} rows{shown.total !== null && <> of {countText(shown.total)}</>}</> : "Rows"}
      actions={
        <div className={classes.actions}>
          {partitions !== null && (
            <TextInput aria-label="Partition" placeholder="Partition: the newest" value={partition} onChange={(event) => set({ partition: event.currentTarget.value })} />
          )}
          {made && !read && (
            <PermissionGate role="operator" location={location}>
              <Button variant="default" leftSection={<Table2 size={14} aria-hidden />} onClick={() => set({ read: "yes" })}>
                Read rows
              </Button>
            </PermissionGate>
          )}
          {version && (
            <Button variant="default" onClick={() => set({ version: "" })}>
              As it is now
            </Button>
          )}
          {read && (
            <Button variant="default" loading={now.isFetching} onClick={() => void now.refetch()}>
              Read again
            </Button>
          )}
        </div>
      }
    >
      {error && <ErrorView error={error} />}
      {version && !error && (
        <p className={`b-dim ${classes.note}`}>
          Version <span className="b-mono">{version}</span> of its table, as it was then{now.isFetching && "; being read…"}
        </p>
      )}
      {made && !error && !version && (
        <p className={`b-dim ${classes.note}`}>
          {made.partition && <><span className="b-mono">{made.partition}</span>, </>}
          made <RelativeTime at={made.at} /> by run <RunLink run={made.run} />
          {read ? (now.isFetching ? "; being read by its IO manager…" : "; as they are where it is kept") : shown && shown.columns.length > 0 && "; as they were reported then"}
        </p>
      )}
      {reported.data && !made && !error && <EmptyState title="It was not made yet">Rows are shown of what has been materialized.</EmptyState>}
      {made && !read && !error && shown?.columns.length === 0 && (
        <EmptyState title="No rows were reported">Its IO manager can read some, where the asset is kept; nothing is recorded of that. Code reports rows by context.add_metadata(sample=metadata.table(frame)).</EmptyState>
      )}
      {shown && !error && shown.columns.length > 0 && <Rows columns={shown.columns} rows={shown.rows} typeOf={(column, at) => types.get(column) ?? now.data?.types[at]} />}
    </Section>
  );
}

function Rows({ columns, rows, typeOf }: { columns: string[]; rows: unknown[][]; typeOf: (column: string, at: number) => ReactNode }) {
  return (
    <div className={classes.table} tabIndex={0} role="region" aria-label="Rows">
      <table>
        <thead>
          <tr>
            {columns.map((column, at) => (
              <th key={column} scope="col">
                {column}
                <span>{typeOf(column, at)}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, y) => (
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
  );
}
