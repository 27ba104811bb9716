// The line above a list: search, filters, columns. What it sets stands in the URL (table-state.ts).
import { ActionIcon, Button, Menu, ScrollArea, TextInput, Tooltip } from "@mantine/core";
import { ChevronDown, Columns3, Search, X } from "lucide-react";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { prefer, usePreferences } from "@/app/preferences";
import type { Column } from "@/components/DataTable";
import type { ListState } from "@/components/table-state";
import { lookOf } from "@/design/states";
import classes from "./FilterBar.module.css";

export interface Option {
  value: string;
  label?: string;
  icon?: ReactNode;
}

export type Filter =
  | { id: string; label: string; kind: "many" | "one"; options: readonly Option[] }
  | { id: string; label: string; kind: "toggle" }
  | { id: string; label: string; kind: "text"; placeholder?: string; width?: number };

interface Props {
  list: ListState;
  filters?: readonly Filter[];
  /** What is searched: `Search runs`. Without it there is no search. */
  search?: string;
  /** The table whose columns can be chosen. */
  table?: { name: string; columns: Column<never>[] };
  /** Buttons at the end of the line. */
  children?: ReactNode;
}

const WAIT_MS = 250;

/** Options of a filter by state, with the states' own words and icons. */
export function stateOptions(states: readonly string[]): Option[] {
  return states.map((state) => {
    const look = lookOf(state);
    return { value: state, label: look.label, icon: <look.icon size={14} aria-hidden /> };
  });
}

export function FilterBar({ list, filters = [], search, table, children }: Props) {
  return (
    <div className={classes.bar} role="search">
      {search && <TextFilter label={search} value={list.text} onChange={list.setText} icon width={230} focusKey />}
      {filters.map((filter) => (
        <One key={filter.id} filter={filter} list={list} />
      ))}
      {list.filtered && (
        <Button variant="subtle" color="gray" onClick={list.clear} leftSection={<X size={13} />}>
          Clear
        </Button>
      )}
      <span className={classes.space} />
      {children}
      {table && <ColumnMenu {...table} />}
    </div>
  );
}

function One({ filter, list }: { filter: Filter; list: ListState }) {
  const value = list.filters[filter.id] ?? "";
  if (filter.kind === "toggle") {
    const on = value === "true";
    return (
      <Button variant={on ? "light" : "default"} aria-pressed={on} onClick={() => list.setFilter(filter.id, on ? "" : "true")}>
        {filter.label}
      </Button>
    );
  }
  if (filter.kind === "text") {
    return (
      <TextFilter
        label={filter.label}
        value={String(value)}
        width={filter.width ?? 150}
        placeholder={filter.placeholder}
        onChange={(text) => list.setFilter(filter.id, text)}
      />
    );
  }
  return <Choice filter={filter} value={value} onChange={(next) => list.setFilter(filter.id, next)} />;
}

function Choice({
  filter,
  value,
  onChange,
}: {
  filter: Extract<Filter, { kind: "many" | "one" }>;
  value: string | string[];
  onChange: (value: string | string[]) => void;
}) {
  const chosen = Array.isArray(value) ? value : value ? [value] : [];
  const labelOf = (each: string) => filter.options.find((option) => option.value === each)?.label ?? each;
  const shown = chosen.length === 0 ? "" : chosen.length <= 2 ? chosen.map(labelOf).join(", ") : `${chosen.length} chosen`;
  const pick = (option: string) => {
    if (filter.kind === "one") onChange(chosen.includes(option) ? "" : option);
    else onChange(chosen.includes(option) ? chosen.filter((each) => each !== option) : [...chosen, option]);
  };
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <Button variant={chosen.length ? "light" : "default"} rightSection={<ChevronDown size={13} />}>
          {shown ? `${filter.label}: ${shown}` : filter.label}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <ScrollArea.Autosize mah={320}>
          {filter.options.length === 0 && <Menu.Item disabled>Nothing to choose</Menu.Item>}
          {filter.options.map((option) => (
            <Menu.CheckboxItem
              key={option.value}
              checked={chosen.includes(option.value)}
              closeMenuOnClick={filter.kind === "one"}
              rightSection={option.icon}
              onChange={() => pick(option.value)}
            >
              {option.label ?? option.value}
            </Menu.CheckboxItem>
          ))}
        </ScrollArea.Autosize>
      </Menu.Dropdown>
    </Menu>
  );
}

interface TextProps {
  label: string;
  value: string;
  onChange: (text: string) => void;
  width: number;
  placeholder?: string;
  icon?: boolean;
  /** `/` puts the cursor here. */
  focusKey?: boolean;
}

function TextFilter({ label, value, onChange, width, placeholder, icon, focusKey }: TextProps) {
  const [text, setText] = useState(value);
  const said = useRef(value);
  useEffect(() => {
    if (value !== said.current) {
      said.current = value;
      setText(value);
    }
  }, [value]);
  useEffect(() => {
    if (text === said.current) return;
    const timer = setTimeout(() => {
      said.current = text;
      onChange(text);
    }, WAIT_MS);
    return () => clearTimeout(timer);
  }, [text, onChange]);
  return (
    <TextInput
      type="search"
      aria-label={label}
      placeholder={placeholder ?? label}
      value={text}
      w={width}
      maxLength={200}
      data-search={focusKey || undefined}
      leftSection={icon ? <Search size={14} /> : undefined}
      rightSection={
        text ? (
          <ActionIcon size={18} onClick={() => setText("")} aria-label={`Clear ${label.toLowerCase()}`}>
            <X size={12} />
          </ActionIcon>
        ) : undefined
      }
      onChange={(event) => setText(event.currentTarget.value)}
      onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
    />
  );
}

function ColumnMenu({ name, columns }: { name: string; columns: Column<never>[] }) {
  const all = usePreferences().columns;
  const chosen = all[name] ?? {};
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Tooltip label="Columns">
          <ActionIcon variant="default" size={30} aria-label="Choose columns" className={classes.columns}>
            <Columns3 size={15} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {columns.filter((column) => column.header && column.card !== "head").map((column) => {
          const shown = chosen[column.id] ?? !column.hidden;
          return (
            <Menu.CheckboxItem
              key={column.id}
              checked={shown}
              onChange={() => prefer({ columns: { ...all, [name]: { ...chosen, [column.id]: !shown } } })}
            >
              {column.header}
            </Menu.CheckboxItem>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}
