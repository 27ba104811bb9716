// The lists of the home page.
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { RotateCw } from "lucide-react";
import { Fragment, type ReactNode } from "react";
import type { Run } from "@/api/runs";
import { useRetryRun } from "@/api/runs";
import type { Home } from "@/api/service";
import { capital, durationText, plural } from "@/app/format";
import { JobLink, LocationLink, RunLink } from "@/components/links";
import { Section } from "@/components/Page";
import { PermissionGate } from "@/components/PermissionGate";
import { StateBadge } from "@/components/StateBadge";
import { AbsoluteTime, Duration, RelativeTime } from "@/components/time";
import { ASSET_STATES, lookOf, stateColor } from "@/design/states";
import { failures } from "./failures";
import classes from "./home.module.css";
import { schedulesOf } from "./next";

const NEXT_MAX = 8;

function Item({ state, title, beside, text, action }: { state: string; title: ReactNode; beside?: ReactNode; text?: ReactNode; action?: ReactNode }) {
  return (
    <li className={classes.item}>
      <StateBadge state={state} compact />
      <div className={classes.what}>
        <div className={classes.title}>
          {title}
          <span className={classes.beside}>{beside}</span>
        </div>
        {text && <div className={classes.text}>{text}</div>}
      </div>
      {action}
    </li>
  );
}

function Nothing({ children }: { children: ReactNode }) {
  return <p className={classes.nothing}>{children}</p>;
}

/** What asks for a person: failures first, then questions, then what takes too long. */
export function Attention({ home }: { home: Home }) {
  const failed = failures(home.failed);
  const none = failed.length + home.paused.length + home.late.length === 0;
  return (
    <Section title="Needs attention">
      {none && <Nothing>Nothing failed in the last 24 hours, nothing waits for an answer, nothing is late.</Nothing>}
      <ul className={classes.list}>
        {failed.map(({ last, count }) => (
          <Item
            key={`${last.location}/${last.job}`}
            state="failed"
            title={
              <>
                <JobLink job={last.job} location={last.location} /> <RunLink run={last.id} />
              </>
            }
            beside={
              <>
                {count > 1 && `${count} times, `}
                <RelativeTime at={last.finished_at} />
              </>
            }
            text={last.error}
            action={<Retry run={last} />}
          />
        ))}
        {home.paused.map((run) => (
          <Item
            key={run.id}
            state="paused"
            title={<RunLink run={run.id}>{`${run.job} #${run.id}`}</RunLink>}
            beside={<RelativeTime at={run.started_at} />}
            text="Waits for an answer"
            action={
              <Button component={Link} to={`/runs/${run.id}`} variant="default">
                Answer
              </Button>
            }
          />
        ))}
        {home.late.map(({ run, usual_s, why }) => (
          <Item
            key={run.id}
            state="running"
            title={<RunLink run={run.id}>{`${run.job} #${run.id}`}</RunLink>}
            beside={<Duration since={run.started_at} />}
            text={`${capital(why)}${usual_s === null ? "" : ` (${durationText(usual_s)})`}`}
          />
        ))}
      </ul>
    </Section>
  );
}

function Retry({ run }: { run: Run }) {
  const retry = useRetryRun();
  return (
    <PermissionGate role="operator" location={run.location}>
      <Button variant="default" leftSection={<RotateCw size={13} />} loading={retry.isPending} onClick={() => retry.mutate({ run: run.id })} aria-label={`Retry run ${run.id} of ${run.job} from its failure`}>
        Retry
      </Button>
    </PermissionGate>
  );
}

export function Running({ home }: { home: Home }) {
  return (
    <Section title="Running now">
      {home.running.length === 0 && <Nothing>Nothing runs.</Nothing>}
      <ul className={classes.list}>
        {home.running.slice(0, 8).map((run) => (
          <Item
            key={run.id}
            state={run.state}
            title={<RunLink run={run.id}>{`${run.job} #${run.id}`}</RunLink>}
            beside={<Duration since={run.started_at} />}
            text={run.partition || undefined}
          />
        ))}
      </ul>
    </Section>
  );
}

export function Next({ home }: { home: Home }) {
  const next = schedulesOf(home.next);
  return (
    <Section title="Next">
      {next.length === 0 && <Nothing>No schedule is due within a day.</Nothing>}
      <ul className={classes.list}>
        {next.slice(0, NEXT_MAX).map(({ first: each, later }) => (
          <li key={`${each.location} ${each.schedule}`} className={classes.item}>
            <span className={classes.when}>
              <AbsoluteTime at={each.at} show="clock" />
            </span>
            <div className={classes.what}>
              <div className={classes.title}>
                <Link to="/schedules/$location/$name" params={{ location: each.location, name: each.schedule }} className="b-link">
                  {each.schedule}
                </Link>
                <span className={classes.beside}>
                  <RelativeTime at={each.at} />
                </span>
              </div>
              {each.job !== each.schedule && <div className={classes.text}>{each.job || each.selection}</div>}
              {later.length > 0 && (
                <div className={classes.text}>
                  then{" "}
                  {later.map((one, i) => (
                    <Fragment key={one.at}>
                      {i > 0 && ", "}
                      <AbsoluteTime at={one.at} show="clock" />
                    </Fragment>
                  ))}
                </div>
              )}
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** Whether what runs everything is well: the store, the schedulers, the code. */
export function Health({ home }: { home: Home }) {
  return (
    <Section title="Health">
      <ul className={classes.list}>
        {home.health.map((each) => (
          <Item key={each.name} state={each.ok ? "ok" : "error"} title={capital(each.name)} text={each.detail} />
        ))}
        {home.locations.map((each) => (
          <Item
            key={each.name}
            state={each.error ? "error" : each.problems ? "warning" : "ok"}
            title={
              <>
                Location <LocationLink location={each.name} />
              </>
            }
            beside={<RelativeTime at={each.loaded_at} />}
            text={each.error || (each.problems ? `${plural(each.problems, "file")} could not be loaded` : "Loaded")}
          />
        ))}
        {home.processes.map((each) => (
          <Item
            key={each.id}
            state={each.alive ? "ok" : "error"}
            title={`${capital(each.kind)} on ${each.host}`}
            beside={<RelativeTime at={each.seen_at} />}
            text={each.alive ? <>Process {each.pid}, up for <Duration since={each.started_at} /></> : "It has not said for a while that it lives"}
          />
        ))}
      </ul>
    </Section>
  );
}

/** How the assets are, as one bar. */
export function Assets({ home }: { home: Home }) {
  const states = ASSET_STATES.filter((state) => home.assets[state]);
  const total = states.reduce((sum, state) => sum + (home.assets[state] ?? 0), 0);
  if (total === 0) return null;
  return (
    <Section title="Assets" actions={<Link to="/lineage" className={`b-link ${classes.more}`}>Lineage</Link>}>
      <div className={classes.stack} aria-hidden>
        {states.map((state) => (
          <span key={state} style={{ flexGrow: home.assets[state], background: stateColor(state) }} />
        ))}
      </div>
      <ul className={classes.shares}>
        {states.map((state) => (
          <li key={state}>
            <Link to="/assets" search={{ state }} className="b-link">
              <StateBadge state={state} label={`${home.assets[state]} ${lookOf(state).label.toLowerCase()}`} />
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  );
}
