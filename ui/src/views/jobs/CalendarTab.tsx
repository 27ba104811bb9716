import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { jobQueries } from "@/api/jobs";
import { dayText } from "@/app/format";
import { usePreferences } from "@/app/preferences";
import { ErrorView } from "@/components/ErrorView";
import { Section } from "@/components/Page";
import { StateBadge } from "@/components/StateBadge";
import { lookOf } from "@/design/states";
import { monthsOf, stateOf, weeksOf, type Square } from "./calendar";
import classes from "./calendar.module.css";

const STATES = ["succeeded", "failed", "running", "cancelled"];

/** A year of days: how its runs went on each; a click opens the newest run of that day. */
export function CalendarTab({ job, location }: { job: string; location: string }) {
  const { data, error, refetch } = useQuery(jobQueries.calendar(job, location, 366));
  const { zone } = usePreferences();
  const weeks = useMemo(() => weeksOf(data?.days ?? [], dayText(Date.now(), zone === "local" ? "UTC" : zone)), [data, zone]);
  if (error && !data) return <ErrorView error={error} retry={() => void refetch()} />;
  if (!data) return null;
  const total = data.days.reduce((sum, day) => sum + Object.values(day.counts).reduce((a, b) => a + b, 0), 0);
  return (
    <Section title={`${total} runs on ${data.days.length} days of the last year`}>
      <div className={classes.scroll} tabIndex={0} role="region" aria-label="Calendar of runs">
        <div className={classes.months} aria-hidden>
          {monthsOf(weeks).map(({ at, month }) => (
            <span key={month} style={{ gridColumn: at + 1 }}>
              {new Date(`${month}-01T00:00:00Z`).toLocaleString("en", { month: "short", timeZone: "UTC" })}
            </span>
          ))}
        </div>
        <div className={classes.year}>{weeks.flat().map((square) => <DaySquare key={square.day} square={square} />)}</div>
      </div>
      <div className={classes.legend}>
        {STATES.map((state) => (
          <StateBadge key={state} state={state} />
        ))}
      </div>
    </Section>
  );
}

function DaySquare({ square: { day, found } }: { square: Square }) {
  if (!found) return <span className={classes.day} title={`${day}: no run`} />;
  const look = lookOf(stateOf(found.counts));
  const words = `${day}: ${Object.entries(found.counts).map(([state, count]) => `${count} ${lookOf(state).label.toLowerCase()}`).join(", ")}`;
  return (
    <Link to="/runs/$run" params={{ run: String(found.run) }} className={classes.day} title={words} aria-label={words} style={{ background: `var(--b-${look.tone}-solid)` }}>
      {look.tone === "red" && <span aria-hidden>×</span>}
    </Link>
  );
}
