// The lineage of columns, in place of that of assets: what each column of an asset is made from and made into.
import { ActionIcon, Button, SegmentedControl, Skeleton, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Columns3, X } from "lucide-react";
import { useMemo } from "react";
import { lineageQueries } from "@/api/assets";
import { EmptyState } from "@/components/EmptyState";
import { ErrorView } from "@/components/ErrorView";
import { GraphView } from "@/graph/GraphView";
import classes from "./ColumnLineage.module.css";
import { ColumnPanel } from "./ColumnPanel";
import { around, columnFaces, columnInput, columnLanes, idOf, type ColumnGraph } from "./columns";
import { laneTonesOf } from "./lineage";
import { useFill } from "./parts";

export interface ColumnState {
  /** The asset whose columns are shown. */
  columns: string;
  /** The column that is looked at: `asset.column`. */
  column: string;
  direction: string;
  rows: string;
}

interface Props {
  state: ColumnState;
  onChange(change: Partial<ColumnState>): void;
  layers: readonly string[];
}

const DIRECTIONS = [
  { value: "upstream", label: "Upstream" },
  { value: "both", label: "Both" },
  { value: "downstream", label: "Downstream" },
];

export function ColumnLineage({ state, onChange, layers }: Props) {
  const direction = (state.direction || "both") as "both" | "upstream" | "downstream";
  const asked = { of: state.columns, direction, rows: state.rows !== "" };
  const { data, error, refetch } = useQuery(lineageQueries.columns(asked));
  const field = useFill();
  return (
    <div ref={field} className={classes.field} data-panel={state.column !== "" || undefined}>
      <div className={`b-card ${classes.graph}`}>
        <header className={classes.head}>
          <h2 className="b-ellipsis">Columns of {state.columns}</h2>
          <SegmentedControl
            aria-label="Direction"
            size="xs"
            data={DIRECTIONS}
            value={direction}
            onChange={(value) => onChange({ direction: value === "both" ? "" : value })}
          />
          <Tooltip label="Also what decides which rows there are: filters, joins, groups">
            <Button
              variant={state.rows ? "light" : "default"}
              aria-pressed={state.rows !== ""}
              onClick={() => onChange({ rows: state.rows ? "" : "1" })}
            >
              Rows
            </Button>
          </Tooltip>
          <Tooltip label="Back to the lineage of assets">
            <ActionIcon
              aria-label="Back to the lineage of assets"
              onClick={() => onChange({ columns: "", column: "", direction: "", rows: "" })}
            >
              <X size={16} />
            </ActionIcon>
          </Tooltip>
        </header>
        {error !== null && data === undefined ? (
          <ErrorView error={error} retry={() => void refetch()} />
        ) : data === undefined ? (
          <Skeleton height="100%" radius={0} />
        ) : data.nodes.length === 0 ? (
          <EmptyState icon={Columns3} title={`No columns of ${state.columns} are known`}>
            They are known once it was made as a table, or where its author, its query or its plan says what they are.
          </EmptyState>
        ) : (
          <Drawn graph={data} layers={layers} chosen={state.column} onChoose={(column) => onChange({ column })} />
        )}
      </div>
      {data !== undefined && state.column !== "" && (
        <ColumnPanel graph={data} id={state.column} onChoose={(column) => onChange({ column })} />
      )}
    </div>
  );
}

interface DrawnProps {
  graph: ColumnGraph;
  layers: readonly string[];
  chosen: string;
  onChoose(column: string): void;
}

function Drawn({ graph, layers, chosen, onChoose }: DrawnProps) {
  const lanes = useMemo(() => columnLanes(graph, layers), [graph, layers]);
  const laneTones = useMemo(() => laneTonesOf(lanes), [lanes]);
  const input = useMemo(() => columnInput(graph, lanes), [graph, lanes]);
  const faces = useMemo(() => columnFaces(graph), [graph]);
  const selected = useMemo(() => new Set(chosen === "" ? [] : [chosen]), [chosen]);
  const lit = useMemo(() => (chosen === "" ? null : around(graph, chosen)), [graph, chosen]);
  return (
    <div className={classes.drawn}>
      <GraphView
        graph={input}
        faces={faces}
        laneTones={laneTones}
        selected={selected}
        lit={lit}
        label="Lineage of columns"
        onPick={(node) => onChoose(node === null ? "" : idOf(graph.nodes[node]!))}
        onToggle={() => undefined}
      />
    </div>
  );
}
