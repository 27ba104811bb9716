// Any JSON value, folded where it is large.
import { ActionIcon } from "@mantine/core";
import { ChevronDown, ChevronRight } from "lucide-react";
import { useState } from "react";
import { CopyButton } from "@/components/CopyButton";
import classes from "./json.module.css";

const OPEN_DEPTH = 2;
const SHOWN = 100;
const TEXT = 2_000;

export function JsonView({ value, label = "JSON" }: { value: unknown; label?: string }) {
  return (
    <div className={classes.view} role="group" aria-label={label}>
      <span className={classes.copy}>
        <CopyButton text={JSON.stringify(value, null, 2)} />
      </span>
      <Node value={value} depth={0} />
    </div>
  );
}

function Node({ name, value, depth }: { name?: string; value: unknown; depth: number }) {
  const [open, setOpen] = useState(depth < OPEN_DEPTH);
  const [all, setAll] = useState(false);
  if (typeof value !== "object" || value === null) {
    return (
      <div className={classes.line}>
        {name !== undefined && <span className={classes.name}>{name}: </span>}
        <Leaf value={value} />
      </div>
    );
  }
  const entries = Object.entries(value);
  const isList = Array.isArray(value);
  const brief = isList ? `[${entries.length}]` : `{${entries.length}}`;
  return (
    <div>
      <div className={classes.line}>
        {entries.length > 0 && (
          <ActionIcon size={16} onClick={() => setOpen(!open)} aria-expanded={open} aria-label={`${open ? "Fold" : "Unfold"} ${name ?? "all"}`}>
            {open ? <ChevronDown size={12} /> : <ChevronRight size={12} />}
          </ActionIcon>
        )}
        {name !== undefined && <span className={classes.name}>{name}: </span>}
        <span className={classes.brief}>{brief}</span>
      </div>
      {open && entries.length > 0 && (
        <div className={classes.inner}>
          {entries.slice(0, all ? undefined : SHOWN).map(([key, each]) => (
            <Node key={key} name={key} value={each} depth={depth + 1} />
          ))}
          {!all && entries.length > SHOWN && (
            <button type="button" className={classes.more} onClick={() => setAll(true)}>
              {entries.length - SHOWN} more
            </button>
          )}
        </div>
      )}
    </div>
  );
}

function Leaf({ value }: { value: unknown }) {
  if (typeof value === "string") {
    const text = value.length > TEXT ? `${value.slice(0, TEXT)}…` : value;
    return <span className={classes.text}>{JSON.stringify(text)}</span>;
  }
  return <span className={value === null ? classes.none : classes.value}>{String(value)}</span>;
}
