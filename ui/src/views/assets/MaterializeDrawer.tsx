// Making an asset from its page: alone or with what is around it, which partitions, and what that would take.
import { Button, Drawer, SegmentedControl, Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { assetQueries } from "@/api/assets";
import { idempotencyKey, type Schema } from "@/api/client";
import { useLaunch } from "@/api/runs";
import { AssetPlanView } from "@/components/AssetPlanView";
import { EnvironmentField } from "@/components/EnvironmentField";
import { ErrorView } from "@/components/ErrorView";
import classes from "./assets.module.css";

type Mode = NonNullable<Schema<"Launch">["mode"]>;

const MODES = [
  { value: "all", label: "Everything" },
  { value: "stale", label: "Stale or missing" },
  { value: "missing", label: "Missing" },
];

export default function MaterializeDrawer({ detail, onClose }: { detail: Schema<"AssetDetail">; onClose: () => void }) {
  const { key } = detail.asset;
  const [selection, setSelection] = useState(key);
  const [mode, setMode] = useState<Mode>("all");
  const [partitions, setPartitions] = useState("");
  const [environment, setEnvironment] = useState("");
  const [typed] = useDebouncedValue(partitions, 350);
  const [place] = useDebouncedValue(environment.trim(), 350);
  const tried = useRef({ content: "", key: "" });
  const plan = useQuery({ ...assetQueries.plan({ selection, mode, partitions: typed, environment: place }), placeholderData: (last) => last, retry: false });
  const launch = useLaunch({ quiet: true });
  const navigate = useNavigate();

  const submit = (event: React.FormEvent) => {
    event.preventDefault();
    const asked: Schema<"Launch"> = { job: "", location: "", selection, mode, partitions, params: {}, tags: {}, environment: environment.trim(), priority: 0, logical_at: null };
    const content = JSON.stringify(asked);
    if (tried.current.content !== content) tried.current = { content, key: idempotencyKey() };
    launch.mutate({ launch: asked, key: tried.current.key }, { onSuccess: ({ run }) => void navigate({ to: "/runs/$run", params: { run: String(run.id) } }) });
  };
  const scopes = [
    { value: key, label: "This asset alone" },
    { value: `+${key}`, label: "With all that it is made from" },
    { value: `${key}+`, label: "With all that is made from it" },
    { value: `+${key}+`, label: "With both" },
  ];
  return (
    <Drawer opened onClose={onClose} position="right" size="lg" title={`Materialize ${key}`} closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={submit} className={classes.form}>
        <Select label="What" data={scopes} value={selection} onChange={(value) => setSelection(value ?? key)} allowDeselect={false} />
        <SegmentedControl fullWidth aria-label="Of it" data={MODES} value={mode} onChange={(value) => setMode(value as Mode)} />
        {detail.asset.partitions !== null && (
          <TextInput
            label="Partitions"
            description="A key, a list a,b, or a range a..b; empty: the newest, or all where there are few"
            value={partitions}
            onChange={(event) => setPartitions(event.currentTarget.value)}
          />
        )}
        <EnvironmentField value={environment} onChange={setEnvironment} />
        {plan.error ? <ErrorView error={plan.error} /> : <AssetPlanView plan={plan.data} />}
        {launch.error && <ErrorView error={launch.error} />}
        <div className={classes.footer}>
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <Button type="submit" loading={launch.isPending} disabled={plan.data?.make.length === 0}>
            Materialize
          </Button>
        </div>
      </form>
    </Drawer>
  );
}
