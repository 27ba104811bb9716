// Launching a job: its parameters as a form, partitions and mode of a selection with what it would make, and the rest
// (tags, priority, logical time) below. What the server finds wrong stands beside its field.
import { Button, Collapse, Drawer, NumberInput, SegmentedControl, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useRef, useState } from "react";
import { assetQueries } from "@/api/assets";
import { idempotencyKey, type Schema } from "@/api/client";
import type { ApiError } from "@/api/problem";
import { runQueries, useLaunch } from "@/api/runs";
import { useUrlState } from "@/app/search";
import { AssetPlanView } from "@/components/AssetPlanView";
import { EnvironmentField } from "@/components/EnvironmentField";
import { ErrorView } from "@/components/ErrorView";
import { entered, entriesOf, fieldsOf, type Entries, type JsonSchema } from "@/components/schema-form/fields";
import { SchemaForm } from "@/components/schema-form/SchemaForm";
import { tagsFrom } from "./tags";
import classes from "./jobs.module.css";

type Mode = Schema<"Launch">["mode"];

/** `from`: the run whose parameters are taken. */
const URL = { from: "" };
const MODES: { value: NonNullable<Mode>; label: string }[] = [
  { value: "all", label: "Everything" },
  { value: "stale", label: "What is stale or missing" },
  { value: "missing", label: "Only what is missing" },
];

export default function LaunchDrawer({ detail, onClose }: { detail: Schema<"JobDetail">; onClose: () => void }) {
  const [{ from }] = useUrlState(URL);
  const before = useQuery({ ...runQueries.one(Number(from)), enabled: /^\d+$/.test(from) });
  const waits = /^\d+$/.test(from) && before.isPending;
  return (
    <Drawer opened onClose={onClose} position="right" size="lg" title={`Launch ${detail.job.name}`} closeButtonProps={{ "aria-label": "Close" }}>
      {!waits && <LaunchForm detail={detail} given={before.data?.run.params} onClose={onClose} />}
    </Drawer>
  );
}

function LaunchForm({ detail, given, onClose }: { detail: Schema<"JobDetail">; given?: Record<string, unknown>; onClose: () => void }) {
  const { job } = detail;
  const fields = useMemo(() => fieldsOf(detail.params_schema as JsonSchema), [detail]);
  const [entries, setEntries] = useState<Entries>(() => entriesOf(fields, given));
  const [errors, setErrors] = useState<ReadonlyMap<string, string>>(new Map());
  const [partitions, setPartitions] = useState("");
  const [mode, setMode] = useState<NonNullable<Mode>>("all");
  const [more, setMore] = useState(false);
  const [tags, setTags] = useState("");
  const [environment, setEnvironment] = useState("");
  const [priority, setPriority] = useState<number | string>(0);
  const [logicalAt, setLogicalAt] = useState("");
  const tried = useRef({ content: "", key: "" });
  const navigate = useNavigate();
  const launch = useLaunch({ quiet: true });
  const isAssets = job.kind === "assets";

  const submit = (event: React.FormEvent) => {
    event.preventDefault();
    const found = entered(fields, entries);
    setErrors(found.errors);
    if (found.errors.size) return;
    const asked: Schema<"Launch"> = {
      job: job.name, location: job.location, selection: "", mode, partitions, params: found.params, tags: tagsFrom(tags), environment: environment.trim(),
      priority: Number(priority) || 0, logical_at: logicalAt || null,
    };
    const content = JSON.stringify(asked);
    if (tried.current.content !== content) tried.current = { content, key: idempotencyKey() }; // another try of the same is the same launch
    launch.mutate({ launch: asked, key: tried.current.key }, {
      onSuccess: ({ run }) => void navigate({ to: "/runs/$run", params: { run: String(run.id) } }),
      onError: (error) => setErrors(atFields(error, fields.map((field) => field.name))),
    });
  };
  const known = launch.error && atFields(launch.error, fields.map((field) => field.name));
  return (
    <form onSubmit={submit} className={classes.launch} noValidate>
      {fields.length === 0 && !isAssets && <p className="b-dim">It takes no parameters.</p>}
      <SchemaForm fields={fields} entries={entries} errors={errors} onChange={(name, text) => setEntries({ ...entries, [name]: text })} />
      {isAssets && (
        <>
          <div>
            <SegmentedControl fullWidth aria-label="What to make" data={MODES} value={mode} onChange={(value) => setMode(value as NonNullable<Mode>)} />
          </div>
          <Partitions value={partitions} onChange={setPartitions} />
          <Plan selection={job.selection} mode={mode} partitions={partitions} environment={environment.trim()} />
        </>
      )}
      {!isAssets && detail.writes.length > 0 && <Partitions value={partitions} onChange={setPartitions} />}
      <div>
        <Button variant="subtle" size="compact-sm" onClick={() => setMore(!more)} aria-expanded={more}>
          {more ? "Less" : "Environment, tags, priority, logical time"}
        </Button>
        <Collapse expanded={more}>
          <div className={classes.launch}>
            <EnvironmentField value={environment} onChange={setEnvironment} />
            <TextInput label="Tags" description="As in team=growth, ticket=OPS-7" value={tags} onChange={(event) => setTags(event.currentTarget.value)} />
            <NumberInput label="Priority" description="The larger, the earlier it leaves the queue" value={priority} onChange={setPriority} />
            <TextInput label="Logical time" description="The time that the run is about" placeholder="2026-01-31T00:00:00Z" value={logicalAt} onChange={(event) => setLogicalAt(event.currentTarget.value)} error={errors.get("logical_at")} />
          </div>
        </Collapse>
      </div>
      {launch.error && known?.size === 0 && <ErrorView error={launch.error} />}
      <div className={classes.footer}>
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
        <Button type="submit" loading={launch.isPending}>
          Launch
        </Button>
      </div>
    </form>
  );
}

/** What the server said is wrong, by field. */
function atFields(error: ApiError, names: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [pointer, detail] of error.fields) {
    const name = pointer.split("/").filter(Boolean).find((part) => names.includes(part) || part === "logical_at");
    if (name) found.set(name, detail);
  }
  return found;
}

function Partitions({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  return (
    <TextInput
      label="Partitions"
      description="A key, a list a,b, or a range a..b; empty: the newest, or all where there are few"
      placeholder="2026-01-01..2026-01-31"
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

/** What a launch would make, as it is entered. */
function Plan({ selection, mode, partitions, environment }: { selection: string; mode: NonNullable<Mode>; partitions: string; environment: string }) {
  const [typed] = useDebouncedValue(partitions, 350);
  const [place] = useDebouncedValue(environment, 350);
  const { data, error } = useQuery({ ...assetQueries.plan({ selection, mode, partitions: typed, environment: place }), placeholderData: (last) => last, retry: false });
  if (error) return <ErrorView error={error} />;
  return <AssetPlanView plan={data} />;
}
