// Where in the whole log the records on the page are; a click or drag goes elsewhere.
import { useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import classes from "./LogViewer.module.css";
import type { Pages } from "./pages";

const STEP = 0.05;

export function Place({ pages, onGo }: { pages: Pages; onGo(offset: number): void }) {
  const track = useRef<HTMLDivElement>(null);
  const [dragged, setDragged] = useState<number | null>(null);
  const { start, end, size } = pages;
  if (size === 0 || (start === 0 && end >= size)) return null;
  const top = (dragged ?? start / size) * 100;
  const height = Math.max(1.5, ((end - start) / size) * 100);
  const shareAt = (event: PointerEvent) => {
    const box = track.current!.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientY - box.top) / box.height));
  };
  const press = (event: KeyboardEvent) => {
    const moves: Record<string, number> = {
      ArrowDown: start / size + STEP,
      ArrowUp: start / size - STEP,
      Home: 0,
      End: 1,
    };
    const share = moves[event.key];
    if (share === undefined) return;
    event.preventDefault();
    onGo(Math.floor(Math.min(0.999, Math.max(0, share)) * size));
  };
  return (
    <div
      ref={track}
      className={classes.place}
      role="slider"
      tabIndex={0}
      aria-label="Place in the log"
      aria-orientation="vertical"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round((start / size) * 100)}
      onKeyDown={press}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        setDragged(shareAt(event));
      }}
      onPointerMove={(event) => dragged !== null && setDragged(shareAt(event))}
      onPointerUp={(event) => {
        setDragged(null);
        onGo(Math.floor(shareAt(event) * 0.9999 * size));
      }}
      onPointerCancel={() => setDragged(null)}
    >
      <span style={{ top: `${Math.min(top, 100 - height)}%`, height: `${height}%` }} />
    </div>
  );
}
