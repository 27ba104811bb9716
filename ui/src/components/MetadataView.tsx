// What users attach to assets, checks and task runs (authoring/metadata.py): numbers, texts, links, tables, Markdown,
// plots, schemas, nested data. None of it is trusted: links go nowhere but to http, https and mail, pictures are PNG.
import { countText } from "@/app/format";
import { CopyButton } from "@/components/CopyButton";
import { JsonView } from "@/components/json";
import { Markdown } from "@/components/Markdown";
import classes from "./MetadataView.module.css";

/** Values by name: short ones as facts, large ones below them, each under its name. */
export function MetadataView({ values }: { values: Readonly<Record<string, unknown>> }) {
  const all = Object.entries(values);
  const short = all.filter(([, value]) => isShort(value));
  const large = all.filter(([, value]) => !isShort(value));
  return (
    <div className={classes.all}>
      {short.length > 0 && (
        <dl className={classes.facts}>
          {short.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <MetadataValue name={name} value={value} />
              </dd>
            </div>
          ))}
        </dl>
      )}
      {large.map(([name, value]) => (
        <figure key={name} className={classes.large}>
          <figcaption>{name}</figcaption>
          <MetadataValue name={name} value={value} />
        </figure>
      ))}
    </div>
  );
}

const LONG_CHARS = 120;

function isShort(value: unknown): boolean {
  if (typeof value === "string") return value.length <= LONG_CHARS && !value.includes("\n");
  return typeof value !== "object" || value === null || typeOf(value) === "link" || typeOf(value) === "path";
}

function typeOf(value: unknown): string {
  if (typeof value !== "object" || value === null || !("type" in value)) return "";
  return typeof value.type === "string" ? value.type : "";
}

type Fields = Record<string, unknown>;

/** One value. */
export function MetadataValue({ name, value }: { name: string; value: unknown }) {
  if (value === null || value === undefined) return <span className="b-dim">none</span>;
  if (typeof value === "number") return <span className={classes.number}>{countText(value)}</span>;
  if (typeof value === "boolean") return <span>{value ? "yes" : "no"}</span>;
  if (typeof value === "string") return <span className={classes.text}>{value}</span>;
  const fields = value as Fields;
  switch (typeOf(value)) {
    case "markdown":
      return <Markdown text={String(fields.text ?? "")} />;
    case "link":
      return <OuterLink url={String(fields.url ?? "")} title={String(fields.title ?? "")} />;
    case "path":
      return <PathText path={String(fields.path ?? "")} />;
    case "table":
      return (
        <TableOf
          columns={listOf(fields.columns).map(String)}
          rows={listOf(fields.rows)}
          total={numberOf(fields.rows_total)}
          label={name}
        />
      );
    case "schema":
      return <TableOf columns={["Column", "Type"]} rows={listOf(fields.columns)} label={name} />;
    case "plot":
      return <Plot fields={fields} name={name} />;
    case "json":
      return <JsonView value={fields.value} label={name} />;
    default:
      return <JsonView value={value} label={name} />;
  }
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function OuterLink({ url, title }: { url: string; title: string }) {
  if (!/^(https?:\/\/|mailto:)/i.test(url)) return <span className={classes.text}>{title || url}</span>;
  return (
    <a href={url} target="_blank" rel="noreferrer noopener">
      {title || url}
    </a>
  );
}

function PathText({ path }: { path: string }) {
  return (
    <span className={classes.path}>
      <span className="b-mono">{path}</span>
      <CopyButton text={path} label="Copy path" />
    </span>
  );
}

function Plot({ fields, name }: { fields: Fields; name: string }) {
  const title = String(fields.title || name);
  const png = typeof fields.png === "string" ? fields.png : "";
  if (!/^[A-Za-z0-9+/=]+$/.test(png)) return <PathText path={String(fields.path ?? "")} />;
  return <img className={classes.plot} src={`data:image/png;base64,${png}`} alt={title} />;
}

const ROWS_SHOWN = 200;

/** A small table of values. */
export function TableOf({
  columns,
  rows,
  total,
  label,
}: {
  columns: readonly string[];
  rows: readonly unknown[];
  total?: number;
  label: string;
}) {
  const numeric = columns.map((_, c) =>
    rows.every((row) => ["number", "object"].includes(typeof cell(row, c)) || cell(row, c) === null),
  );
  return (
    <div className={classes.scroll} tabIndex={0} role="region" aria-label={label}>
      <table className={classes.table}>
        <thead>
          <tr>
            {columns.map((column, c) => (
              <th key={c} scope="col" data-align={numeric[c] ? "right" : undefined}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, ROWS_SHOWN).map((row, r) => (
            <tr key={r}>
              {columns.map((_, c) => (
                <td key={c} data-align={numeric[c] ? "right" : undefined}>
                  <Cell value={cell(row, c)} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {(total ?? rows.length) > Math.min(rows.length, ROWS_SHOWN) && (
        <p className={classes.more}>
          {countText(Math.min(rows.length, ROWS_SHOWN))} of {countText(total ?? rows.length)} rows
        </p>
      )}
    </div>
  );
}

function cell(row: unknown, c: number): unknown {
  return Array.isArray(row) ? (row[c] as unknown) : c === 0 ? row : null;
}

function Cell({ value }: { value: unknown }) {
  if (value === null || value === undefined) return <span className="b-dim">null</span>;
  if (typeof value === "number") return value.toLocaleString("en-US", { maximumFractionDigits: 6 });
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
