// Partitions as a field of cells on a canvas: 10,000 of them are one picture. The arrow keys go from cell to cell.
import { useEffect, useRef, useState, type KeyboardEvent, type MouseEvent } from "react";
import { useComputedColorScheme } from "@mantine/core";
import { cellAt, gridOf, sharesOf, wordsOf, type Cell } from "./heat";
import classes from "./assets.module.css";

const TONES: Record<string, string> = { failed: "--b-red-solid", missing: "--b-grey-bg", stale: "--b-amber-solid", fresh: "--b-green-solid" };

interface Props {
  cells: readonly Cell[];
  label: string;
  onPick: (cell: Cell) => void;
}

export function HeatMap({ cells, label, onPick }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [at, setAt] = useState<number>();
  const scheme = useComputedColorScheme();
  const grid = gridOf(cells.length, width || 600);

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    if (canvas.current && width) draw(canvas.current, cells, width, at);
  }, [cells, width, at, scheme]);

  const point = (event: MouseEvent<HTMLCanvasElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return cellAt(grid, cells.length, event.clientX - box.left, event.clientY - box.top);
  };
  const press = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -grid.columns, ArrowDown: grid.columns }[event.key];
    const cell = at === undefined ? undefined : cells[at];
    if (step !== undefined) {
      event.preventDefault();
      setAt(Math.min(cells.length - 1, Math.max(0, (at ?? -step) + step)));
    } else if (cell && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      onPick(cell);
    }
  };
  const shown = at === undefined ? undefined : cells[at];
  return (
    <div>
      <div ref={place}>
        <canvas
          ref={canvas}
          className={classes.heat}
          style={{ height: grid.rows * grid.size }}
          tabIndex={0}
          role="img"
          aria-label={shown ? `${label}. ${wordsOf(shown)}` : label}
          onMouseMove={(event) => setAt(point(event))}
          onMouseLeave={() => setAt(undefined)}
          onClick={(event) => {
            const found = point(event);
            if (found !== undefined && cells[found]) onPick(cells[found]);
          }}
          onKeyDown={press}
        />
      </div>
      <p className={`b-dim ${classes.said}`} aria-live="polite">
        {shown ? wordsOf(shown) : "\u00a0"}
      </p>
    </div>
  );
}

function draw(canvas: HTMLCanvasElement, cells: readonly Cell[], width: number, at: number | undefined): void {
  const grid = gridOf(cells.length, width);
  const ratio = window.devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = grid.rows * grid.size * ratio;
  const context = canvas.getContext("2d");
  if (!context) return;
  const style = getComputedStyle(canvas);
  const colors = Object.fromEntries(Object.entries(TONES).map(([state, name]) => [state, style.getPropertyValue(name).trim()]));
  context.scale(ratio, ratio);
  const side = grid.size - 2;
  cells.forEach((cell, i) => {
    const x = (i % grid.columns) * grid.size;
    let y = Math.floor(i / grid.columns) * grid.size;
    for (const [state, share] of sharesOf(cell)) {
      context.fillStyle = colors[state] ?? "#888";
      context.fillRect(x, y, side, side * share);
      y += side * share;
    }
  });
  if (at !== undefined && cells[at]) {
    context.strokeStyle = style.getPropertyValue("--b-text").trim();
    context.lineWidth = 1.5;
    context.strokeRect((at % grid.columns) * grid.size - 0.5, Math.floor(at / grid.columns) * grid.size - 0.5, side + 1, side + 1);
  }
}
