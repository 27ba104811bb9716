// A new backfill: of assets over partitions, or of a job over times; what it would do is shown as it is entered.
import { Button, Drawer, NumberInput, SegmentedControl, Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { idempotencyKey, type Schema } from "@/api/client";
import { jobQueries } from "@/api/jobs";
import { itemsOf } from "@/api/pages";
import { backfillQueries, useLaunchBackfill } from "@/api/service";
import { countText, plural } from "@/app/format";
import { EnvironmentField } from "@/components/EnvironmentField";
import { ErrorView } from "@/components/ErrorView";
import { askedOf, isWhole, type Entered } from "./entered";
import classes from "./backfills.module.css";

const WHICH = [
  { value: "all", label: "All" },
  { value: "missing", label: "Missing" },
  { value: "stale", label: "Stale" },
  { value: "failed", label: "Failed" },
];
const FIRST: Entered = { of: "assets", selection: "", job: "", partitions: "", first: "", last: "", every: "", mode: "missing", batch: 1, runsMax: 4, order: "oldest", environment: "" };

export default function NewBackfill({ selection, job, onClose }: { selection: string; job: string; onClose: () => void }) {
  const [entered, setEntered] = useState<Entered>({ ...FIRST, selection, job, of: job ? "job" : "assets" });
  const [settled] = useDebouncedValue(entered, 350);
  const tried = useRef({ content: "", key: "" });
  const navigate = useNavigate();
  const launch = useLaunchBackfill({ quiet: true });
  const set = (change: Partial<Entered>) => setEntered({ ...entered, ...change });
  const preview = useQuery({ ...backfillQueries.preview(askedOf(settled)), enabled: isWhole(settled), placeholderData: (last) => last, retry: false });

  const submit = (event: React.FormEvent) => {
    event.preventDefault();
    const asked = askedOf(entered);
    const content = JSON.stringify(asked);
    if (tried.current.content !== content) tried.current = { content, key: idempotencyKey() };
    launch.mutate({ asked, key: tried.current.key }, { onSuccess: (made) => void navigate({ to: "/backfills/$backfill", params: { backfill: String(made.id) } }) });
  };
  return (
    <Drawer opened onClose={onClose} position="right" size="lg" title="New backfill" closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={submit} className={classes.form}>
        <SegmentedControl fullWidth aria-label="Of" data={[{ value: "assets", label: "Assets" }, { value: "job", label: "A job" }]} value={entered.of} onChange={(value) => set({ of: value as Entered["of"] })} />
        {entered.of === "assets" ? <OfAssets entered={entered} set={set} /> : <OfJob entered={entered} set={set} />}
        <div>
          <SegmentedControl fullWidth aria-label="Which of them" data={WHICH} value={entered.mode} onChange={(value) => set({ mode: value as Entered["mode"] })} />
        </div>
        <div className={classes.pair}>
          <NumberInput label="Partitions of one run" description="0: all in one run" min={0} value={entered.batch} onChange={(value) => set({ batch: Number(value) || 0 })} />
          <NumberInput label="Runs at once" description="Others wait" min={1} value={entered.runsMax} onChange={(value) => set({ runsMax: Math.max(1, Number(value) || 1) })} />
        </div>
        <Select label="Which come first" data={[{ value: "oldest", label: "The oldest" }, { value: "newest", label: "The newest" }]} value={entered.order} onChange={(value) => set({ order: value === "newest" ? "newest" : "oldest" })} allowDeselect={false} />
        <EnvironmentField value={entered.environment} onChange={(environment) => set({ environment })} />
        {preview.error && isWhole(settled) ? <ErrorView error={preview.error} /> : preview.data && <Preview preview={preview.data} />}
        {launch.error && <ErrorView error={launch.error} />}
        <div className={classes.footer}>
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <Button type="submit" loading={launch.isPending} disabled={!isWhole(entered) || preview.data?.runs === 0}>
            Launch backfill
          </Button>
        </div>
      </form>
    </Drawer>
  );
}

interface Part {
  entered: Entered;
  set: (change: Partial<Entered>) => void;
}

function OfAssets({ entered, set }: Part) {
  return (
    <>
      <TextInput required label="Assets" description="Keys or a selection, as in gold.revenue, +gold.revenue, layer:silver" value={entered.selection} onChange={(event) => set({ selection: event.currentTarget.value })} data-autofocus />
      <TextInput required label="Partitions" description="A range a..b, a list a,b, a period as 2025-03, latest:7, or all" placeholder="2025-03-01..2025-03-31" value={entered.partitions} onChange={(event) => set({ partitions: event.currentTarget.value })} />
    </>
  );
}

function OfJob({ entered, set }: Part) {
  const jobs = useInfiniteQuery(jobQueries.list({ sort: "name", limit: 200 }));
  const names = [...new Set((jobs.data ? itemsOf(jobs.data) : []).map((job) => job.name))];
  return (
    <>
      <Select required searchable label="Job" data={names} value={entered.job || null} onChange={(value) => set({ job: value ?? "" })} />
      <div className={classes.pair}>
        <TextInput required label="First time" placeholder="2025-03-01T00:00:00Z" value={entered.first} onChange={(event) => set({ first: event.currentTarget.value })} />
        <TextInput label="Last time" description="Included" placeholder="2025-03-31T00:00:00Z" value={entered.last} onChange={(event) => set({ last: event.currentTarget.value })} />
      </div>
      <TextInput label="How often" description="hourly, daily, weekly, monthly or a cron; empty: as it is scheduled" value={entered.every} onChange={(event) => set({ every: event.currentTarget.value })} />
    </>
  );
}

function Preview({ preview }: { preview: Schema<"BackfillPreview"> }) {
  return (
    <div className={classes.plan} aria-live="polite">
      <strong>{preview.runs === 0 ? "Nothing would be run" : `${plural(preview.runs, "run")} over ${plural(preview.partitions - preview.left_out, "partition")}`}</strong>
      {preview.left_out > 0 && <span className="b-dim"> · {countText(preview.left_out)} left out</span>}
      {preview.already_made > 0 && <span className="b-dim"> · {countText(preview.already_made)} are made already</span>}
      {preview.assets.length > 0 && <div>{preview.assets.join(", ")}</div>}
      <ul>
        {preview.items.slice(0, 50).map((item) => (
          <li key={item} className="b-mono">
            {item}
          </li>
        ))}
        {preview.items.length > 50 && <li className="b-dim">and more</li>}
      </ul>
    </div>
  );
}
