// A chart over time, or over numbers: uPlot, loaded when the first one is shown.
import { lazy, Suspense } from "react";
import { Skeleton } from "@mantine/core";

export interface Series {
  label: string;
  values: readonly (number | null)[];
  /** A CSS colour: `var(--b-green-solid)`. */
  color: string;
  kind?: "line" | "bars" | "points";
  fill?: boolean;
}

export interface ChartProps {
  /** What it shows, for those who do not see it. */
  label: string;
  /** Seconds since the epoch, or numbers. */
  x: readonly number[];
  series: readonly Series[];
  height?: number;
  time?: boolean;
  /** A value in words: the axis and the legend. */
  format?: (value: number) => string;
  /** The point that was clicked. */
  onPick?: (index: number) => void;
}

const Drawn = lazy(() => import("./chart-drawn"));

export function Chart(props: ChartProps) {
  return (
    <div role="img" aria-label={props.label}>
      <Suspense fallback={<Skeleton height={props.height ?? 180} />}>
        <Drawn {...props} />
      </Suspense>
    </div>
  );
}
