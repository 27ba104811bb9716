// The table of every list: rows come in pages from the server, which also filters, sorts and searches (table-state.ts).
//
// Rows beyond VIRTUAL are drawn only where they are seen; the page scrolls, not the table. On a narrow screen each row is
// a card. Keys: up/down or j/k move, Home/End jump, Enter opens, Space selects. Surprising: all rows have the height
// --b-row while they are virtual, so cells do not wrap.
import { Checkbox, Skeleton } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { useEffect, useMemo, useRef, type KeyboardEvent, type MouseEvent, type ReactNode } from "react";
import { usePreferences } from "@/app/preferences";
import { ErrorView } from "@/components/ErrorView";
import classes from "./DataTable.module.css";

export interface Column<Row> {
  id: string;
  header: string;
  cell: (row: Row) => ReactNode;
  /** The orders of the server that a click on the header goes through, e.g. `["name", "-name"]`. */
  sorts?: string[];
  align?: "right";
  /** A CSS width: `120px`, `20%`; without one it shares what is left. */
  width?: string;
  /** Not shown until somebody asks for it (the menu of FilterBar). */
  hidden?: boolean;
  /** On a card: its head, left out, or a line with the header (the default). */
  card?: "head" | "none";
}

interface Target {
  to: string;
  params?: Record<string, string>;
  search?: Record<string, string | string[] | undefined>;
}

interface Props<Row> {
  /** The name that its choice of columns is kept by. */
  name: string;
  /** What the table shows, for those who hear it: `Runs`. */
  label: string;
  columns: Column<Row>[];
  rows: Row[] | undefined;
  rowKey: (row: Row) => string;
  /** Where a row leads. The first column should hold a `<Link>` to the same place. */
  target?: (row: Row) => Target;
  sort?: string;
  onSort?: (sort: string) => void;
  /** More pages: `hasNextPage`, `isFetchingNextPage` and `fetchNextPage` of the query. */
  more?: { has: boolean; busy: boolean; fetch: () => void };
  error?: unknown;
  retry?: () => void;
  /** What stands in place of no rows. */
  empty: ReactNode;
  selected?: ReadonlySet<string>;
  onSelect?: (keys: ReadonlySet<string>) => void;
}

const VIRTUAL = 60;
const ROW_PX = 38;
const CARD_PX = 128;
const AHEAD = 15;

export function DataTable<Row>(props: Props<Row>) {
  const { rows, error, empty, more } = props;
  const narrow = useMediaQuery("(max-width: 767px)", window.matchMedia("(max-width: 767px)").matches);
  if (error !== null && error !== undefined && !rows?.length) return <ErrorView error={error} retry={props.retry} />;
  if (rows === undefined) return <Waiting label={props.label} />;
  if (rows.length === 0 && !more?.busy && !more?.has) return <>{empty}</>;
  return narrow ? <Cards {...props} rows={rows} /> : <Rows {...props} rows={rows} />;
}

/** The columns that are shown, by the table's own choice and then by the person's. */
export function useShownColumns<Row>(name: string, columns: Column<Row>[]): Column<Row>[] {
  const chosen = usePreferences().columns[name];
  return useMemo(() => columns.filter((column) => chosen?.[column.id] ?? !column.hidden), [columns, chosen]);
}

function useWindow(count: number, height: number, virtual: boolean) {
  const place = useRef<HTMLDivElement>(null);
  const virtualizer = useWindowVirtualizer({
    count,
    estimateSize: () => height,
    overscan: 12,
    enabled: virtual,
    scrollMargin: place.current?.offsetTop ?? 0,
  });
  const items = virtual ? virtualizer.getVirtualItems() : undefined;
  const first = items?.[0];
  const last = items?.at(-1);
  const margin = virtualizer.options.scrollMargin;
  return {
    place,
    virtualizer,
    from: first?.index ?? 0,
    to: items ? (last?.index ?? -1) + 1 : count,
    before: first ? first.start - margin : 0,
    after: last ? virtualizer.getTotalSize() - (last.end - margin) : 0,
  };
}

function useMore(more: Props<unknown>["more"], to: number, count: number) {
  const wanted = more?.has === true && !more.busy && to >= count - AHEAD;
  useEffect(() => {
    if (wanted) more?.fetch();
  }, [wanted, more]);
}

/** With all rows drawn, the next page is fetched when the end of the list comes near. */
function End({ more }: Pick<Props<unknown>, "more">) {
  const mark = useRef<HTMLDivElement>(null);
  const fetch = more?.has && !more.busy ? more.fetch : undefined;
  useEffect(() => {
    if (!mark.current || !fetch) return;
    const observer = new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && fetch(), { rootMargin: "400px" });
    observer.observe(mark.current);
    return () => observer.disconnect();
  }, [fetch]);
  return (
    <div ref={mark} className={classes.end} role="status">
      {more?.busy ? "Loading more…" : ""}
    </div>
  );
}

function Rows<Row>(props: Props<Row> & { rows: Row[] }) {
  const { rows, more, rowKey, target, selected, onSelect, sort, onSort } = props;
  const columns = useShownColumns(props.name, props.columns);
  const navigate = useNavigate();
  const virtual = rows.length > VIRTUAL;
  const seen = useWindow(rows.length, ROW_PX, virtual);
  useMore(virtual ? more : undefined, seen.to, rows.length);

  const open = (row: Row, elsewhere: boolean, element: HTMLElement) => {
    if (!target) return;
    const link = element.closest("tr")?.querySelector<HTMLAnchorElement>("a[href]");
    if (elsewhere && link) window.open(link.href, "_blank", "noreferrer");
    else void navigate(target(row));
  };
  const click = (row: Row) => (event: MouseEvent<HTMLTableRowElement>) => {
    const within = (event.target as HTMLElement).closest("a, button, input, label, [role=menu], [role=switch]");
    if (within || window.getSelection()?.toString()) return;
    open(row, event.metaKey || event.ctrlKey, event.currentTarget);
  };
  const toggle = (key: string) => {
    if (!onSelect) return;
    const next = new Set(selected);
    if (!next.delete(key)) next.add(key);
    onSelect(next);
  };
  const press = (row: Row, index: number) => (event: KeyboardEvent<HTMLTableRowElement>) => {
    if (event.target !== event.currentTarget || event.metaKey || event.ctrlKey || event.altKey) return;
    const goTo = (at: number) => {
      event.preventDefault();
      const to = Math.max(0, Math.min(rows.length - 1, at));
      if (virtual) seen.virtualizer.scrollToIndex(to, { align: "auto" });
      requestAnimationFrame(() => seen.place.current?.querySelector<HTMLElement>(`tr[data-index="${to}"]`)?.focus());
    };
    switch (event.key) {
      case "ArrowDown":
      case "j":
        return goTo(index + 1);
      case "ArrowUp":
      case "k":
        return goTo(index - 1);
      case "Home":
        return goTo(0);
      case "End":
        return goTo(rows.length - 1);
      case "Enter":
        return open(row, false, event.currentTarget);
      case " ":
        event.preventDefault();
        return toggle(rowKey(row));
    }
  };

  return (
    <div ref={seen.place} className={`b-card ${classes.frame}`}>
      <table className={classes.table} aria-label={props.label} aria-rowcount={more?.has ? -1 : rows.length + 1}>
        <thead>
          <tr>
            {onSelect && (
              <th className={classes.tick}>
                <Checkbox
                  size="xs"
                  aria-label="Select all that are shown"
                  checked={rows.length > 0 && rows.every((row) => selected?.has(rowKey(row)))}
                  indeterminate={!!selected?.size && !rows.every((row) => selected.has(rowKey(row)))}
                  onChange={(event) => onSelect(new Set(event.currentTarget.checked ? rows.map(rowKey) : []))}
                />
              </th>
            )}
            {columns.map((column) => (
              <Head key={column.id} column={column} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {seen.before > 0 && <Gap height={seen.before} columns={columns.length + 1} />}
          {rows.slice(seen.from, seen.to).map((row, at) => {
            const index = seen.from + at;
            const key = rowKey(row);
            return (
              <tr
                key={key}
                data-index={index}
                data-selected={selected?.has(key) || undefined}
                data-opens={target ? true : undefined}
                tabIndex={index === seen.from ? 0 : -1}
                aria-rowindex={index + 2}
                aria-selected={onSelect ? (selected?.has(key) ?? false) : undefined}
                onClick={click(row)}
                onKeyDown={press(row, index)}
              >
                {onSelect && (
                  <td className={classes.tick}>
                    <Checkbox size="xs" aria-label={`Select ${key}`} checked={selected?.has(key) ?? false} onChange={() => toggle(key)} />
                  </td>
                )}
                {columns.map((column) => (
                  <td key={column.id} data-align={column.align}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
          {seen.after > 0 && <Gap height={seen.after} columns={columns.length + 1} />}
        </tbody>
      </table>
      {(!virtual || more?.busy) && <End more={more} />}
    </div>
  );
}

function Gap({ height, columns }: { height: number; columns: number }) {
  return (
    <tr aria-hidden className={classes.gap}>
      <td colSpan={columns} style={{ height }} />
    </tr>
  );
}

function Head<Row>({ column, sort, onSort }: { column: Column<Row> } & Pick<Props<Row>, "sort" | "onSort">) {
  const style = column.width ? { width: column.width } : undefined;
  const sorts = column.sorts;
  if (!sorts || !onSort) {
    return (
      <th data-align={column.align} style={style} scope="col">
        {column.header}
      </th>
    );
  }
  const at = sorts.indexOf(sort ?? "");
  const current = at < 0 ? undefined : sorts[at];
  const down = current?.startsWith("-");
  return (
    <th data-align={column.align} style={style} scope="col" aria-sort={current === undefined ? undefined : down ? "descending" : "ascending"}>
      <button type="button" className={classes.sorter} onClick={() => onSort(sorts[(at + 1) % sorts.length] ?? "")}>
        {column.header}
        {current === undefined ? null : down ? <ArrowDown size={13} aria-hidden /> : <ArrowUp size={13} aria-hidden />}
      </button>
    </th>
  );
}

function Cards<Row>(props: Props<Row> & { rows: Row[] }) {
  const { rows, more, rowKey, selected, onSelect } = props;
  const columns = useShownColumns(props.name, props.columns);
  const virtual = rows.length > VIRTUAL;
  const seen = useWindow(rows.length, CARD_PX, virtual);
  useMore(virtual ? more : undefined, seen.to, rows.length);
  const heads = columns.filter((column) => column.card === "head");
  const lines = columns.filter((column) => column.card === undefined && column.header);
  const rest = columns.filter((column) => column.card === undefined && !column.header);
  return (
    <div ref={seen.place}>
      <ul className={classes.cards} aria-label={props.label} style={{ paddingTop: seen.before, paddingBottom: seen.after }}>
        {rows.slice(seen.from, seen.to).map((row, at) => {
          const key = rowKey(row);
          return (
            <li
              key={key}
              className={classes.cell}
              data-index={seen.from + at}
              ref={virtual ? seen.virtualizer.measureElement : undefined}
            >
              <div className={`b-card ${classes.card}`} data-selected={selected?.has(key) || undefined}>
                <div className={classes.head}>
                  {onSelect && (
                    <Checkbox
                      size="xs"
                      aria-label={`Select ${key}`}
                      checked={selected?.has(key) ?? false}
                      onChange={() => {
                        const next = new Set(selected);
                        if (!next.delete(key)) next.add(key);
                        onSelect(next);
                      }}
                    />
                  )}
                  {heads.map((column) => (
                    <span key={column.id}>{column.cell(row)}</span>
                  ))}
                </div>
                <dl className={classes.lines}>
                  {lines.map((column) => (
                    <div key={column.id}>
                      <dt>{column.header}</dt>
                      <dd>{column.cell(row)}</dd>
                    </div>
                  ))}
                </dl>
                {rest.length > 0 && (
                  <div className={classes.rest}>
                    {rest.map((column) => (
                      <span key={column.id}>{column.cell(row)}</span>
                    ))}
                  </div>
                )}
              </div>
            </li>
          );
        })}
      </ul>
      {(!virtual || more?.busy) && <End more={more} />}
    </div>
  );
}

function Waiting({ label }: { label: string }) {
  return (
    <div className={`b-card ${classes.waiting}`} role="status" aria-label={`Loading ${label.toLowerCase()}`}>
      {Array.from({ length: 8 }, (_, at) => (
        <Skeleton key={at} height={14} width={`${92 - ((at * 17) % 40)}%`} />
      ))}
    </div>
  );
}
