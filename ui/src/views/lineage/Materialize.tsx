// Making assets: what would be made and why, before it is asked for.
import { Button, Checkbox, Group, Modal, SegmentedControl, Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Hammer } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { assetQueries } from "@/api/assets";
import { idempotencyKey, type Schema } from "@/api/client";
import { itemsOf } from "@/api/pages";
import { words } from "@/api/problem";
import { useLaunch } from "@/api/runs";
import { capital, plural } from "@/app/format";
import { quoted } from "./lineage";
import { AssetPlanView } from "@/components/AssetPlanView";
import { EnvironmentField } from "@/components/EnvironmentField";
import classes from "./Materialize.module.css";

type Mode = Schema<"PlanAsked">["mode"];

interface Props {
  opened: boolean;
  assets: readonly string[];
  onClose(): void;
  onLaunched(run: number): void;
}

const MODES = [
  { value: "stale", label: "Stale or missing" },
  { value: "missing", label: "Missing" },
  { value: "all", label: "Everything" },
];
const WAIT_MS = 250;

export function Materialize({ opened, onClose, ...props }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title="Materialize" size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      {opened && <Form {...props} onClose={onClose} />}
    </Modal>
  );
}

function Form({ assets, onClose, onLaunched }: Omit<Props, "opened">) {
  const [mode, setMode] = useState<Mode>("stale");
  const [upstream, setUpstream] = useState(false);
  const [partitions, setPartitions] = useState("");
  const [environment, setEnvironment] = useState("");
  const [key, setKey] = useState(idempotencyKey);
  const navigate = useNavigate();
  const selection = useMemo(
    () => assets.map((asset) => `${upstream ? "+" : ""}${quoted(asset)}`).join(" "),
    [assets, upstream],
  );
  const asked = { selection, mode: mode ?? "all", partitions, environment: environment.trim() };
  const [waited] = useDebouncedValue(asked, WAIT_MS);
  const plan = useQuery({ ...assetQueries.plan(waited), retry: false });
  const launch = useLaunch({ quiet: true });
  useEffect(() => setKey(idempotencyKey()), [selection, mode, partitions, environment]);
  const nothing = plan.data !== undefined && plan.data.task_runs === 0;
  const go = async () => {
    const { run } = await launch.mutateAsync({
      launch: { ...asked, job: "", location: "", params: {}, tags: {}, priority: 0, logical_at: null },
      key,
    });
    onLaunched(run.id);
    onClose();
    void navigate({ to: "/runs/$run", params: { run: String(run.id) } });
  };
  const error = launch.error ?? plan.error;
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        void go().catch(() => undefined); // shown below
      }}
    >
      <div className={classes.what}>
        <strong>{assets.length === 1 ? assets[0] : plural(assets.length, "asset")}</strong>
        <Checkbox
          size="xs"
          label="With all that it is made from"
          checked={upstream}
          onChange={(event) => setUpstream(event.currentTarget.checked)}
        />
      </div>
      <div>
        <span className={classes.label} id="mode">
          What of it
        </span>
        <SegmentedControl
          aria-labelledby="mode"
          fullWidth
          data={MODES}
          value={mode}
          onChange={(value) => setMode(value as Mode)}
        />
      </div>
      <PartitionChoice assets={assets} value={partitions} onChange={setPartitions} />
      <EnvironmentField value={environment} onChange={setEnvironment} />
      {error ? <Wrong error={error} /> : <AssetPlanView plan={plan.data} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
        <Button
          type="submit"
          leftSection={<Hammer size={14} />}
          loading={launch.isPending}
          disabled={plan.data === undefined || plan.error !== null || nothing}
        >
          {plan.data && !nothing ? `Launch ${plural(plan.data.task_runs, "task run")}` : "Launch"}
        </Button>
      </Group>
    </form>
  );
}

function Wrong({ error }: { error: unknown }) {
  const { what, hint } = words(error);
  return (
    <div className={classes.wrong} role="alert">
      <p>{capital(what)}</p>
      {hint && <p>{capital(hint)}</p>}
    </div>
  );
}

const EVERY = { limit: 1000 };

/** Which partitions, where the first of the assets that has any says what there is to choose. */
function PartitionChoice({
  assets,
  value,
  onChange,
}: {
  assets: readonly string[];
  value: string;
  onChange(value: string): void;
}) {
  const [way, setWay] = useState("all");
  const [range, setRange] = useState<[string, string]>(["", ""]);
  const first = useFirstPartitioned(assets);
  const query = useInfiniteQuery({ ...assetQueries.partitions(first ?? "", EVERY), enabled: first !== null });
  const keys = useMemo(() => itemsOf(query.data).map((one) => one.key), [query.data]);
  if (first === null) return null;
  const choose = (next: string) => {
    setWay(next);
    onChange(
      next === "latest"
        ? (keys.at(-1) ?? "")
        : next === "range" && range[0] && range[1]
          ? `${range[0]}..${range[1]}`
          : "",
    );
  };
  const setEnd = (i: 0 | 1, key: string | null) => {
    const next: [string, string] =
      i === 0 ? [key ?? "", range[1] || (key ?? "")] : [range[0] || (key ?? ""), key ?? ""];
    setRange(next);
    onChange(next[0] && next[1] ? `${next[0]}..${next[1]}` : "");
  };
  return (
    <div>
      <span className={classes.label} id="partitions">
        Partitions
      </span>
      <SegmentedControl
        aria-labelledby="partitions"
        fullWidth
        value={way}
        onChange={choose}
        data={[
          { value: "all", label: "All" },
          { value: "latest", label: keys.length > 0 ? `Latest (${keys.at(-1)})` : "Latest" },
          { value: "range", label: "From … to" },
          { value: "text", label: "List" },
        ]}
      />
      {way === "range" && (
        <Group grow mt="xs">
          <Select
            aria-label="From"
            placeholder="From"
            searchable
            data={keys}
            value={range[0] || null}
            onChange={(key) => setEnd(0, key)}
            limit={100}
          />
          <Select
            aria-label="To"
            placeholder="To"
            searchable
            data={keys}
            value={range[1] || null}
            onChange={(key) => setEnd(1, key)}
            limit={100}
          />
        </Group>
      )}
      {way === "text" && (
        <TextInput
          mt="xs"
          aria-label="Partitions"
          placeholder="2026-01-31, or a,b,c, or 2026-01-01..2026-01-31"
          value={value}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
      )}
    </div>
  );
}

const LOOKED_AT = 20;

function useFirstPartitioned(assets: readonly string[]): string | null {
  const selection = assets.slice(0, LOOKED_AT).map(quoted).join(" ");
  const { data } = useInfiniteQuery(assetQueries.list({ selection }));
  return itemsOf(data).find((asset) => asset.partitions !== null)?.key ?? null;
}
