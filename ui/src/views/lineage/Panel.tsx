// What is selected in the lineage: an asset in short, a step or flow, what is elsewhere, or many of them; and how far
// around it to go.
import { ActionIcon, Button, SegmentedControl, Skeleton, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Columns3, Crosshair, Hammer, X } from "lucide-react";
import { useMemo } from "react";
import { assetQueries } from "@/api/assets";
import { countText, plural } from "@/app/format";
import { ErrorView } from "@/components/ErrorView";
import { KeyValue } from "@/components/KeyValue";
import { AssetLink, JobLink, LocationLink, RunLink } from "@/components/links";
import { Markdown } from "@/components/Markdown";
import { PermissionGate } from "@/components/PermissionGate";
import { LayerTag, StateBadge, Tag } from "@/components/StateBadge";
import { RelativeTime } from "@/components/time";
import { ASSET_STATES } from "@/design/states";
import { sharesOf } from "@/graph/face";
import { DatasetElsewhere, JobElsewhere, TouchedElsewhere } from "./Elsewhere";
import type { Lineage, LineageNode } from "./lineage";
import classes from "./Panel.module.css";

interface Props {
  lineage: Lineage;
  at: readonly string[];
  chosen: ReadonlySet<string>;
  up: string;
  down: string;
  onReach(up: string, down: string): void;
  onSelect(ids: string[]): void;
  onShow(id: string): void;
  /** Show the lineage of an asset's columns, one of them (`asset.column`) chosen. */
  onColumns(asset: string, column?: string): void;
  /** Undefined: there is nothing to be made. */
  onMake?: () => void;
}

const FAR = [
  { value: "", label: "–" },
  { value: "1", label: "1" },
  { value: "2", label: "2" },
  { value: "3", label: "3" },
  { value: "all", label: "All" },
];

export function Panel(props: Props) {
  const { lineage, at, chosen, onSelect, onShow, onMake } = props;
  const node = at.length === 1 ? lineage.nodes.find((one) => one.id === at[0]) : undefined;
  return (
    <aside className={`b-card ${classes.panel}`} aria-label="Selected">
      <header className={classes.head}>
        <h2>{node?.label ?? plural(at.length, "node")}</h2>
        {node !== undefined && (
          <Tooltip label="Show in the graph">
            <ActionIcon aria-label="Show in the graph" onClick={() => onShow(node.id)}>
              <Crosshair size={15} />
            </ActionIcon>
          </Tooltip>
        )}
        <Tooltip label="Close">
          <ActionIcon aria-label="Close" onClick={() => onSelect([])}>
            <X size={16} />
          </ActionIcon>
        </Tooltip>
      </header>
      <Reach {...props} />
      {node === undefined ? (
        <Many lineage={lineage} chosen={chosen} />
      ) : node.kind === "asset" ? (
        <AssetInShort node={node} onSelect={onSelect} onColumns={props.onColumns} />
      ) : node.kind === "job" ? (
        <JobElsewhere key={node.id} node={node} onSelect={onSelect} />
      ) : node.kind === "dataset" ? (
        <DatasetElsewhere node={node} onSelect={onSelect} />
      ) : (
        <StepInShort node={node} lineage={lineage} onSelect={onSelect} />
      )}
      {onMake && (
        <footer className={classes.foot}>
          <PermissionGate role="operator" location={node?.location ?? "?"}>
            <Button fullWidth leftSection={<Hammer size={14} />} onClick={onMake}>
              {chosen.size > 1 ? `Materialize ${plural(countOf(lineage, chosen), "asset")}` : "Materialize"}
            </Button>
          </PermissionGate>
        </footer>
      )}
    </aside>
  );
}

function countOf(lineage: Lineage, chosen: ReadonlySet<string>): number {
  return lineage.nodes.filter((node) => chosen.has(node.id) && node.kind === "asset" && !node.external).length;
}

function Reach({ up, down, chosen, onReach }: Props) {
  return (
    <div className={classes.reach}>
      <div>
        <span id="reach-up">Upstream</span>
        <SegmentedControl
          aria-labelledby="reach-up"
          size="xs"
          data={FAR}
          value={up}
          onChange={(value) => onReach(value, down)}
        />
      </div>
      <div>
        <span id="reach-down">Downstream</span>
        <SegmentedControl
          aria-labelledby="reach-down"
          size="xs"
          data={FAR}
          value={down}
          onChange={(value) => onReach(up, value)}
        />
      </div>
      {(up !== "" || down !== "") && <p role="status">{plural(chosen.size, "node")} selected</p>}
    </div>
  );
}

function AssetInShort({ node, onSelect, onColumns }: { node: LineageNode } & Pick<Props, "onSelect" | "onColumns">) {
  const { data, error, refetch } = useQuery(assetQueries.one(node.id));
  if (error && !data) return <ErrorView error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={220} m="md" />;
  const { asset } = data;
  return (
    <div className={classes.body}>
      <div className={classes.line}>
        <StateBadge state={asset.state} />
        <LayerTag layer={asset.layer} />
        {asset.kinds.map((kind) => (
          <Tag key={kind}>{kind}</Tag>
        ))}
      </div>
      {asset.description && <Markdown text={asset.description} />}
      {asset.reasons.length > 0 && (
        <ul className={classes.reasons}>
          {asset.reasons.slice(0, 3).map((one) => (
            <li key={one.reason}>
              {one.reason}
              {asset.partitions !== null && <span className="b-dim"> · {plural(one.partitions, "partition")}</span>}
            </li>
          ))}
        </ul>
      )}
      {asset.partitions !== null && <Partitions node={node} total={asset.partitions} />}
      <KeyValue
        facts={[
          ["Made", asset.materialized_at && <RelativeTime key="at" at={asset.materialized_at} />],
          ["By", asset.run !== null && <RunLink key="run" run={asset.run} />],
          ["Rows", asset.rows !== null && countText(asset.rows)],
          ["Owners", asset.owners.length > 0 && asset.owners.join(", ")],
          ["Group", asset.group || null],
          ["Location", asset.location !== "" && <LocationLink key="location" location={asset.location} />],
          [
            "Jobs",
            data.jobs.length > 0 && (
              <span className={classes.names}>
                {data.jobs.map((job) => (
                  <JobLink key={job} job={job} />
                ))}
              </span>
            ),
          ],
        ]}
      />
      {data.checks.length > 0 && (
        <section>
          <h3>Checks</h3>
          <ul className={classes.checks}>
            {data.checks.map((check) => (
              <li key={check.name}>
                <StateBadge
                  state={
                    check.passed === null ? "waiting" : check.passed ? "passed" : check.blocking ? "failed" : "warning"
                  }
                  label={check.passed === null ? "Never ran" : undefined}
                  compact
                />
                <span className="b-ellipsis">{check.name}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <Columns columns={data.columns} onColumns={(column) => onColumns(node.id, column && `${node.id}.${column}`)} />
      <Neighbours title="Made from" keys={data.upstream} onSelect={onSelect} />
      <Neighbours title="Made into" keys={data.downstream} onSelect={onSelect} />
      <TouchedElsewhere node={node} onSelect={onSelect} />
      <p className={classes.more}>
        <AssetLink asset={node.id}>Everything about {node.id}</AssetLink>
      </p>
    </div>
  );
}

function Partitions({ node, total }: { node: LineageNode; total: number }) {
  const shares = sharesOf(node.counts, ASSET_STATES);
  const text = ASSET_STATES.filter((state) => node.counts[state])
    .map((state) => `${countText(node.counts[state]!)} ${state}`)
    .join(", ");
  return (
    <div className={classes.partitions}>
      <div className={classes.bar} role="img" aria-label={text}>
        {shares.map(({ tone, count }) => (
          <span key={tone} style={{ flexGrow: count, background: `var(--b-${tone}-solid)` }} />
        ))}
      </div>
      <span className="b-dim">
        {plural(total, "partition")}: {text}
      </span>
    </div>
  );
}

const COLUMNS_SHOWN = 40;

function Columns({
  columns,
  onColumns,
}: {
  columns: readonly (readonly string[])[];
  onColumns(column?: string): void;
}) {
  return (
    <section>
      <h3>{columns.length === 0 ? "Columns" : plural(columns.length, "column")}</h3>
      <ul className={classes.columns}>
        {columns.slice(0, COLUMNS_SHOWN).map(([name, type]) => (
          <li key={name}>
            <button type="button" className={`b-mono ${classes.choose}`} onClick={() => onColumns(name)}>
              {name}
            </button>
            <span className="b-dim">{type}</span>
          </li>
        ))}
      </ul>
      {columns.length > COLUMNS_SHOWN && <p className="b-dim">and {columns.length - COLUMNS_SHOWN} more</p>}
      <Button variant="default" fullWidth mt={8} leftSection={<Columns3 size={14} />} onClick={() => onColumns()}>
        Lineage of its columns
      </Button>
    </section>
  );
}

function Neighbours({
  title,
  keys,
  onSelect,
}: {
  title: string;
  keys: readonly string[];
  onSelect(ids: string[]): void;
}) {
  if (keys.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <ul className={classes.neighbours}>
        {keys.slice(0, COLUMNS_SHOWN).map((key) => (
          <li key={key}>
            <button type="button" onClick={() => onSelect([key])}>
              {key}
            </button>
          </li>
        ))}
      </ul>
      {keys.length > COLUMNS_SHOWN && <p className="b-dim">and {keys.length - COLUMNS_SHOWN} more</p>}
    </section>
  );
}

function StepInShort({
  node,
  lineage,
  onSelect,
}: {
  node: LineageNode;
  lineage: Lineage;
  onSelect(ids: string[]): void;
}) {
  const [reads, writes] = useMemo(() => {
    const at = lineage.nodes.findIndex((one) => one.id === node.id);
    const linked = (own: number[], other: number[]) =>
      own.flatMap((end, e) => (end === at ? [lineage.nodes[other[e]!]!.id] : []));
    return [linked(lineage.targets, lineage.sources), linked(lineage.sources, lineage.targets)];
  }, [node, lineage]);
  return (
    <div className={classes.body}>
      <KeyValue
        facts={[
          ["Kind", node.kind === "flow" ? "flow" : "step of a DAG"],
          ["Job", <JobLink key="job" job={node.job} location={node.location} />],
          ["Group", node.group || null],
          ["Location", <LocationLink key="location" location={node.location} />],
        ]}
      />
      <Neighbours title="Before it" keys={reads} onSelect={onSelect} />
      <Neighbours title="After it" keys={writes} onSelect={onSelect} />
    </div>
  );
}

function Many({ lineage, chosen }: { lineage: Lineage; chosen: ReadonlySet<string> }) {
  const nodes = lineage.nodes.filter((node) => chosen.has(node.id));
  const count = (state: string) => nodes.filter((node) => node.state === state).length;
  const failing = nodes.filter((node) => node.checks_failed > 0).length;
  return (
    <div className={classes.body}>
      <div className={classes.line}>
        {ASSET_STATES.filter((state) => count(state) > 0).map((state) => (
          <StateBadge key={state} state={state} label={`${count(state)} ${state}`} />
        ))}
        {failing > 0 && <StateBadge state="failed" label={`${failing} with failed checks`} />}
      </div>
      <ul className={classes.neighbours}>
        {nodes.slice(0, COLUMNS_SHOWN).map((node) => (
          <li key={node.id} className="b-ellipsis">
            {node.kind === "asset" ? <AssetLink asset={node.id} /> : node.id}
          </li>
        ))}
      </ul>
      {nodes.length > COLUMNS_SHOWN && <p className="b-dim">and {nodes.length - COLUMNS_SHOWN} more</p>}
    </div>
  );
}
