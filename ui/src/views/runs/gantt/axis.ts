// Times along an axis: a window of seconds on so many pixels, and the marks that fit it.

/** Which seconds are shown. */
export interface Window {
  from: number;
  to: number;
}

const STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
  14400, 21600, 43200, 86400,
];

/** Where marks stand: at round numbers, no nearer than `gap` pixels. */
export function marks(window: Window, width: number, gap = 84): { at: number; label: string }[] {
  const length = window.to - window.from;
  const least = (length / Math.max(1, width)) * gap;
  const step = STEPS.find((one) => one >= least) ?? Math.ceil(least / 86400) * 86400;
  const found: { at: number; label: string }[] = [];
  for (let n = Math.ceil(window.from / step - 1e-9); n * step <= window.to; n++)
    found.push({ at: n * step, label: markText(n * step, step) });
  return found;
}

/** Seconds from the begin, as exact as the distance of marks: `0`, `250 ms`, `1.5 s`, `2:30`, `1:02:00`. */
export function markText(s: number, step: number): string {
  if (Math.abs(s) < 1e-9) return "0";
  if (Math.abs(s) < 60) {
    if (step < 0.1) return `${Math.round(s * 1000)} ms`;
    return `${Number(s.toFixed(step < 1 ? 1 : 0))} s`;
  }
  const sign = s < 0 ? "-" : "";
  const whole = Math.round(Math.abs(s));
  const two = (value: number) => String(value).padStart(2, "0");
  const [h, m, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return h > 0 ? `${sign}${h}:${two(m)}:${two(rest)}` : `${sign}${m}:${two(rest)}`;
}

/** A window zoomed by a factor, with one second staying where it is; within bounds and never shorter than a moment. */
export function zoomedTo(window: Window, factor: number, keep: number, bounds: Window): Window {
  const share = (keep - window.from) / (window.to - window.from);
  const length = Math.min(bounds.to - bounds.from, Math.max(0.002, (window.to - window.from) / factor));
  return within({ from: keep - share * length, to: keep + (1 - share) * length }, bounds);
}

/** A window moved back into its bounds, with its length. */
export function within(window: Window, bounds: Window): Window {
  const length = Math.min(window.to - window.from, bounds.to - bounds.from);
  const from = Math.min(Math.max(window.from, bounds.from), bounds.to - length);
  return { from, to: from + length };
}
