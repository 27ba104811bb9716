import { Switch } from "@mantine/core";
import type { Schema } from "@/api/client";
import { useSwitchTicker } from "@/api/service";
import { CopyButton } from "@/components/CopyButton";
import { AssetLink, TickerLink } from "@/components/links";
import { KeyValue } from "@/components/KeyValue";
import { Markdown } from "@/components/Markdown";
import { PermissionGate } from "@/components/PermissionGate";
import { Section } from "@/components/Page";
import { StateBadge, Tag } from "@/components/StateBadge";
import { fieldsOf, textOf, type JsonSchema } from "@/components/schema-form/fields";
import { AbsoluteTime, RelativeTime } from "@/components/time";
import { RUN_STATES } from "@/design/states";
import classes from "./jobs.module.css";

/** What a newcomer wants to know: what it is for, when it runs, what it takes, what it reads and makes. */
export function OverviewTab({ detail }: { detail: Schema<"JobDetail"> }) {
  const { job } = detail;
  return (
    <div className={classes.columns}>
      <div>
        <Section title="What it does">
          {job.description.trim() ? (
            <Markdown text={job.description} />
          ) : (
            <p className="b-dim">It has no description yet: its docstring, in Markdown, is shown here.</p>
          )}
        </Section>
        <Params schema={detail.params_schema} />
      </div>
      <div>
        <Schedules job={job} />
        <Section title="Facts">
          <KeyValue facts={factsOf(detail)} />
        </Section>
      </div>
    </div>
  );
}

function factsOf({ job, ...detail }: Schema<"JobDetail">): [string, React.ReactNode][] {
  const counted = RUN_STATES.filter((state) => detail.counts[state]);
  const assets = (keys: string[]) =>
    keys.length > 0 && (
      <span className={classes.list}>
        {keys.map((key) => (
          <AssetLink key={key} asset={key} />
        ))}
      </span>
    );
  return [
    ["Runs", counted.length > 0 && <span className={classes.list}>{counted.map((state) => <StateBadge key={state} state={state} label={String(detail.counts[state])} />)}</span>],
    ["Steps", job.steps ?? "known as it runs"],
    ["Makes", job.selection ? <code>{job.selection}</code> : assets(detail.writes)],
    ["Reads", assets(detail.reads)],
    ["Owners", job.owners.join(", ") || false],
    ["Tags", Object.keys(job.tags).length > 0 && <span className={classes.list}>{Object.entries(job.tags).map(([key, value]) => <Tag key={key}>{value ? `${key}=${value}` : key}</Tag>)}</span>],
    ["Links", detail.links.length > 0 && <span className={classes.list}>{detail.links.map((link) => <a key={link.url} href={link.url} className="b-link" rel="noreferrer" target="_blank">{link.title}</a>)}</span>],
    ["Version", detail.version && <span className="b-mono" title={detail.version}>{detail.version.slice(0, 12)} <CopyButton text={detail.version} label="Copy version" /></span>],
  ];
}

function Schedules({ job }: { job: Schema<"Job"> }) {
  const turn = useSwitchTicker();
  return (
    <Section title="Schedules">
      {job.schedules.length === 0 && <p className="b-dim">The clock does not start it: it runs when somebody, a sensor or another run asks.</p>}
      {job.schedules.map((schedule) => (
        <div key={schedule.name} className={classes.schedule}>
          <PermissionGate role="operator" location={job.location}>
            <Switch
              aria-label={`Schedule ${schedule.name}`}
              checked={schedule.enabled}
              onChange={(event) => turn.mutate({ ticker: { kind: "schedule", location: job.location, name: schedule.name }, enabled: event.currentTarget.checked })}
            />
          </PermissionGate>
          <div>
            <TickerLink ticker={{ kind: "schedule", location: job.location, name: schedule.name }} />
            <div className="b-dim">
              <code>{schedule.text}</code> {schedule.timezone}
            </div>
          </div>
          <div className={classes.next}>
            {schedule.enabled ? <RelativeTime at={schedule.next_at} /> : <StateBadge state="off" />}
            {schedule.enabled && schedule.next_at && (
              <div className="b-dim">
                <AbsoluteTime at={schedule.next_at} show="minute" />
              </div>
            )}
          </div>
        </div>
      ))}
    </Section>
  );
}

function Params({ schema }: { schema: JsonSchema }) {
  const fields = fieldsOf(schema);
  if (fields.length === 0) return null;
  return (
    <Section title="Parameters">
      <dl className={classes.params}>
        {fields.map((field) => (
          <div key={field.name}>
            <dt className="b-mono">{field.name}</dt>
            <dd>
              {field.kind === "choice" ? `one of ${field.choices.map(textOf).join(", ")}` : field.expects}
              {field.usual !== undefined && <> · default <code>{field.usual === null ? "none" : textOf(field.usual) || "empty"}</code></>}
              {field.description && <div className="b-dim">{field.description}</div>}
            </dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}
