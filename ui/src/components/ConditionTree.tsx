// The condition of an automation as it was evaluated: which part was true, of how many partitions and of which.
import { Check, Minus, X } from "lucide-react";
import { useState } from "react";
import { countText } from "@/app/format";
import classes from "./ConditionTree.module.css";

export interface Holds {
  count?: number;
  total?: number;
  /** First and last keys of those of which it holds. */
  ranges?: [string, string][];
}

export interface Part {
  words: string;
  /** What its author calls it. */
  label?: string;
  holds: Holds;
  parts?: Part[];
}

/** Whether something that a tick kept is such a condition. */
export function isPart(value: unknown): value is Part {
  return typeof value === "object" && value !== null && typeof (value as Part).words === "string" && typeof (value as Part).holds === "object";
}

export function ConditionTree({ part }: { part: Part }) {
  return (
    <ul className={classes.tree} aria-label="Condition">
      <Node part={part} />
    </ul>
  );
}

const RANGES = 4;

function Node({ part }: { part: Part }) {
  const [all, setAll] = useState(false);
  const { count = 0, total = 1, ranges = [] } = part.holds;
  const state = count === 0 ? "no" : count < total ? "some" : "yes";
  const Icon = { no: X, some: Minus, yes: Check }[state];
  const shown = all ? ranges : ranges.slice(0, RANGES);
  return (
    <li>
      <span className={classes.line} data-holds={state}>
        <Icon size={14} strokeWidth={2.6} aria-hidden />
        <span className={classes.words}>
          {part.label ?? part.words}
          {part.label && <span className="b-dim"> ({part.words})</span>}
        </span>
        <span className="b-dim">
          {total <= 1 ? (count ? "true" : "not true") : `true of ${countText(count)} of ${countText(total)}`}
          {count > 0 && count < total && shown.length > 0 && `: ${shown.map(([first, last]) => (first === last ? first : `${first} … ${last}`)).join(", ")}`}
        </span>
        {ranges.length > RANGES && !all && (
          <button type="button" className={classes.more} onClick={() => setAll(true)}>
            {ranges.length - RANGES} more
          </button>
        )}
      </span>
      {part.parts && part.parts.length > 0 && (
        <ul>
          {part.parts.map((each, i) => (
            <Node key={i} part={each} />
          ))}
        </ul>
      )}
    </li>
  );
}
