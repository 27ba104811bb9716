// How good the data was, day by day, a line per layer: the share of verdicts that were good.
import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { checkQueries } from "@/api/assets";
import { countText } from "@/app/format";
import { useUrlState } from "@/app/search";
import { Chart } from "@/components/Chart";
import { Section } from "@/components/Page";
import { LayerTag } from "@/components/StateBadge";
import { layerTone } from "@/design/layers";
import { linesOf, shareGood, totalsOf, type Totals } from "./quality";
import classes from "./checks.module.css";

const URL = { days: "30" };

const percent = (share: number | null) => (share === null ? "–" : `${(100 * share).toFixed(share < 1 ? 2 : 0)} %`);

/** `2 failed, 1 warned of 120`. */
function said({ evaluated, warned, failed, unknown }: Totals): string {
  const parts = [failed && `${countText(failed)} failed`, warned && `${countText(warned)} warned`, unknown && `${countText(unknown)} unknown`].filter(Boolean);
  return `${parts.join(", ") || "none failed"} of ${countText(evaluated)}`;
}

export function Quality() {
  const [{ days }, set] = useUrlState(URL);
  const { data } = useQuery(checkQueries.quality(Number(days) || 30));
  const lines = useMemo(() => linesOf(data ?? []), [data]);
  const series = useMemo(() => lines.layers.map((layer, i) => ({ label: layer || "no layer", color: `var(--b-${layerTone(layer)}-solid)`, values: lines.shares[i] ?? [] })), [lines]);
  if (!data || lines.x.length === 0) return null;
  return (
    <Section title="Good verdicts, by layer" actions={<SegmentedControl size="xs" aria-label="Days" data={["7", "30", "90", "365"]} value={days} onChange={(value) => set({ days: value })} />}>
      <div className={classes.totals}>
        {totalsOf(data).map((total) => (
          <div key={total.layer}>
            <LayerTag layer={total.layer || "no layer"} />
            <strong>{percent(shareGood(total))}</strong>
            <span className="b-dim">{said(total)}</span>
          </div>
        ))}
      </div>
      {lines.x.length > 1 && <Chart label="Share of good verdicts by day and layer" x={lines.x} series={series} height={160} format={(value) => `${value.toFixed(value % 1 ? 1 : 0)} %`} />}
    </Section>
  );
}
