import type { ReactNode } from "react";
import classes from "./KeyValue.module.css";

/** Facts, by name. What is null, undefined or false is left out. */
export function KeyValue({ facts }: { facts: [string, ReactNode][] }) {
  return (
    <dl className={classes.facts}>
      {facts.map(([name, value]) =>
        value === null || value === undefined || value === false ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}
