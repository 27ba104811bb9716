// The whole graph in a corner; a click or drag in it looks there.
import { useEffect, useRef, type PointerEvent } from "react";
import classes from "./GraphView.module.css";
import { mapPlace } from "./overlay";
import type { Stage } from "./stage";
import { centred } from "./view";

export function Minimap({ stage }: { stage: Stage }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const made = canvas.current!;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    made.width = made.clientWidth * ratio;
    made.height = made.clientHeight * ratio;
    stage.setMinimap(made.width > 0 ? made : null);
    return () => stage.setMinimap(null);
  }, [stage]);

  const go = (event: PointerEvent<HTMLCanvasElement>) => {
    if (event.buttons === 0 || stage.layout === null) return;
    const box = event.currentTarget.getBoundingClientRect();
    const place = mapPlace(stage.layout, box.width, box.height, 6);
    const point = {
      x: (event.clientX - box.left - place.x) / place.k,
      y: (event.clientY - box.top - place.y) / place.k,
    };
    stage.stopFlight();
    stage.setView(centred(point, stage.view.k, stage.screen));
  };
  return (
    <canvas
      ref={canvas}
      className={classes.minimap}
      aria-hidden="true"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        go(event);
      }}
      onPointerMove={go}
    />
  );
}
