import { useMantineColorScheme, useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { usePreferences } from "@/app/preferences";
import type { ChartProps, Series } from "@/components/Chart";
import classes from "./Chart.module.css";

export default function Drawn({ x, series, height = 180, time = true, format, onPick }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const { zone } = usePreferences();
  useMantineColorScheme();
  const scheme = useComputedColorScheme();
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const color = colorReader(element);
    const axis = { stroke: color("var(--b-dim)"), grid: { stroke: color("var(--b-border)"), width: 1 }, ticks: { show: false }, font: "11px Inter Variable" };
    const plot = new uPlot(
      {
        width: element.clientWidth || 300,
        height,
        cursor: { y: false, drag: { x: false, y: false } },
        legend: { live: true },
        scales: { x: { time } },
        tzDate: zone === "local" ? undefined : (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
        axes: [axis, { ...axis, size: 58, values: format ? (_, ticks) => ticks.map(format) : undefined }],
        series: [{}, ...series.map((each) => drawn(each, color, format))],
      },
      [Array.from(x), ...series.map((each) => Array.from(each.values))] as uPlot.AlignedData,
      element,
    );
    const pick = () => {
      if (onPick && plot.cursor.idx !== null && plot.cursor.idx !== undefined) onPick(plot.cursor.idx);
    };
    plot.over.addEventListener("click", pick);
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [x, series, height, time, format, onPick, zone, scheme]);
  return <div ref={place} className={classes.chart} data-picks={onPick ? true : undefined} />;
}

function drawn(each: Series, color: (css: string) => string, format?: (value: number) => string): uPlot.Series {
  const stroke = color(each.color);
  const kind = each.kind ?? "line";
  return {
    label: each.label,
    stroke,
    width: kind === "points" ? 0 : 1.6,
    fill: kind === "bars" || each.fill ? `color-mix(in srgb, ${stroke} ${kind === "bars" ? 75 : 14}%, transparent)` : undefined,
    paths: kind === "bars" ? uPlot.paths.bars?.({ size: [0.7, 40] }) : undefined,
    points: { show: kind === "points" || undefined, size: 5 },
    value: format ? (_, value) => (value === null || value === undefined ? "–" : format(value)) : undefined,
  };
}

/** Canvas knows no CSS variables: their values where the chart stands. */
function colorReader(element: HTMLElement): (css: string) => string {
  const style = getComputedStyle(element);
  return (css) => {
    const name = /^var\((--[\w-]+)\)$/.exec(css)?.[1];
    return name ? style.getPropertyValue(name).trim() || css : css;
  };
}
