interface Props {
  values: readonly (number | null)[];
  /** What it shows, for those who do not see it. */
  label: string;
  width?: number;
  height?: number;
  color?: string;
}

/** A line so small that only its shape matters. */
export function Sparkline({ values, label, width = 90, height = 22, color = "var(--b-accent)" }: Props) {
  const known = values.filter((value): value is number => value !== null);
  const low = Math.min(...known);
  const range = Math.max(...known) - low || 1;
  const x = (at: number) => (values.length < 2 ? width / 2 : 2 + (at / (values.length - 1)) * (width - 4));
  const y = (value: number) => height - 3 - ((value - low) / range) * (height - 6);
  let pen = "M";
  const path = values.map((value, at) => {
    if (value === null) {
      pen = "M";
      return "";
    }
    const step = `${pen}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = "L";
    return step;
  });
  const lastAt = values.findLastIndex((value) => value !== null);
  const last = values[lastAt];
  return (
    <svg width={width} height={height} role="img" aria-label={label}>
      <path d={path.join("")} fill="none" stroke={color} strokeWidth={1.5} strokeLinejoin="round" strokeLinecap="round" />
      {last !== undefined && last !== null && <circle cx={x(lastAt)} cy={y(last)} r={2} fill={color} />}
    </svg>
  );
}
