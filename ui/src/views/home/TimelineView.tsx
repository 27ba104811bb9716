// Runs over time across jobs, what the clock starts next, and where now is. A bar is a run; bars on the same spot are one.
import { SegmentedControl, Skeleton } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState, type MouseEvent } from "react";
import { serviceQueries, type Home } from "@/api/service";
import { useNow } from "@/app/clock";
import { clockText, dayText, plural } from "@/app/format";
import { usePreferences } from "@/app/preferences";
import { useUrlState } from "@/app/search";
import { EmptyState } from "@/components/EmptyState";
import { ErrorView } from "@/components/ErrorView";
import { JobLink } from "@/components/links";
import { Section } from "@/components/Page";
import { lookOf, stateColor } from "@/design/states";
import { axis, offsetOf, SPANS, timeline, type Bar, type Row, type Span } from "./timeline";
import classes from "./TimelineView.module.css";

const URL = { span: "6h" };
const ROWS_MAX = 12;
const LANE = 9;
const ROW_MIN = 30;
const MINUTE = 60_000;
const SHOWN = ["succeeded", "failed", "running", "queued"];

export function TimelineView({ running }: { running: Home["running"] }) {
  const [{ span: id }, set] = useUrlState(URL);
  const span = SPANS.find((each) => each.id === id) ?? (SPANS[1] as Span);
  return (
    <Section
      title="Timeline"
      actions={
        <SegmentedControl
          size="xs"
          aria-label="Span of time"
          value={span.id}
          data={SPANS.map((each) => ({ value: each.id, label: each.label }))}
          onChange={(value) => set({ span: value })}
        />
      }
    >
      <Drawn span={span} running={running} />
    </Section>
  );
}

function Drawn({ span, running }: { span: Span; running: Home["running"] }) {
  const now = useNow(10_000);
  const { zone } = usePreferences();
  const { ref, width } = useElementSize();
  const [spot, setSpot] = useState<{ row: Row; bar: Bar; x: number }>();
  const navigate = useNavigate();
  // Asked for by the minute, so that the same is not asked for again and again.
  const minute = Math.floor(now / MINUTE) * MINUTE;
  const asked = { since: new Date(minute - span.back).toISOString(), until: new Date(minute + span.ahead).toISOString() };
  const { data, error, refetch } = useQuery(serviceQueries.timeline(asked));
  const [begin, end] = [now - span.back, now + span.ahead];
  const line = useMemo(() => {
    if (!data) return undefined;
    const there = new Set(data.runs.map((run) => run.id));
    return timeline([...data.runs, ...running.filter((run) => !there.has(run.id))], data.next, begin, end, now, ROWS_MAX);
  }, [data, running, begin, end, now]);

  if (error && !data) return <ErrorView error={error} retry={() => void refetch()} />;
  if (!line) return <Skeleton height={160} />;
  if (line.rows.length === 0) {
    return (
      <EmptyState title={`Nothing ran in the last ${span.label}`} command="batuta run JOB">
        Runs of all jobs stand here side by side, and what schedules start next.
      </EmptyState>
    );
  }
  const marks = axis(begin, end, Math.max(2, Math.floor((width || 600) / 84)), offsetOf(zone, now));
  const percent = (part: number) => `${(part * 100).toFixed(3)}%`;
  const barOf = (event: MouseEvent): { row: Row; bar: Bar } | undefined => {
    const element = (event.target as Element).closest<HTMLElement>("[data-bar]");
    const row = line.rows[Number(element?.dataset.row)];
    const bar = row?.bars[Number(element?.dataset.bar)];
    return row && bar ? { row, bar } : undefined;
  };

  return (
    <>
      <div
        className={classes.line}
        role="group"
        aria-label={`Runs of ${plural(line.rows.length, "job")} in the last ${span.label}`}
        onMouseMove={(event) => {
          const found = barOf(event);
          const frame = event.currentTarget.getBoundingClientRect();
          setSpot(found && { ...found, x: Math.min(Math.max(event.clientX - frame.left, 90), frame.width - 90) });
        }}
        onMouseLeave={() => setSpot(undefined)}
        onClick={(event) => {
          const found = barOf(event);
          if (found) void navigate({ to: "/runs/$run", params: { run: String(found.bar.run) } });
        }}
      >
        <div className={classes.axis} aria-hidden>
          <span />
          <div ref={ref} className={classes.marks}>
            {marks.map((at) => (
              <span key={at} style={{ left: percent((at - begin) / (end - begin)) }}>
                {span.back > 48 * 3_600_000 ? dayText(at, zone).slice(5) : clockText(at, zone)}
              </span>
            ))}
          </div>
        </div>
        {line.rows.map((row, at) => (
          <div key={`${row.location}/${row.job}`} className={classes.row}>
            <div className={classes.job}>
              <JobLink job={row.job} location={row.location} />
            </div>
            <div className={classes.track} style={{ height: Math.max(ROW_MIN, row.lanes * (LANE + 2) + 10) }}>
              {marks.map((mark) => (
                <i key={mark} className={classes.mark} style={{ left: percent((mark - begin) / (end - begin)) }} />
              ))}
              {row.bars.map((bar, index) => (
                <b
                  key={`${bar.run} ${bar.lane}`}
                  data-bar={index}
                  data-row={at}
                  data-state={bar.state}
                  className={classes.bar}
                  style={{
                    left: percent(bar.from),
                    width: percent(bar.to - bar.from),
                    top: `calc(50% + ${(bar.lane - (row.lanes - 1) / 2) * (LANE + 2) - LANE / 2}px)`,
                    height: LANE,
                    background: stateColor(bar.state),
                  }}
                />
              ))}
              {row.ticks.map((tick) => (
                <i key={`${tick.schedule} ${tick.at}`} className={classes.tick} style={{ left: percent(tick.at) }} title={`${tick.schedule}: ${clockText(begin + tick.at * (end - begin), zone)}`} />
              ))}
              <i className={classes.now} style={{ left: percent(span.back / (span.back + span.ahead)) }} />
            </div>
          </div>
        ))}
        {spot && <Tip {...spot} />}
      </div>
      <div className={classes.legend}>
        {SHOWN.map((state) => (
          <span key={state}>
            <i style={{ background: stateColor(state) }} />
            {lookOf(state).label}
          </span>
        ))}
        <span>
          <i className={classes.dashed} />
          Scheduled
        </span>
        {line.left > 0 && <span className={classes.left}>and {plural(line.left, "more job")}</span>}
        {data?.more && <span className={classes.left}>the newest {data.runs.length} runs</span>}
      </div>
    </>
  );
}

function Tip({ row, bar, x }: { row: Row; bar: Bar; x: number }) {
  return (
    <div className={classes.tip} style={{ left: x }} role="tooltip">
      <strong>{row.job}</strong>
      <span>
        {bar.count > 1 ? `${plural(bar.count, "run")}, worst: #${bar.run}` : `#${bar.run}`} · {lookOf(bar.state).label}
      </span>
    </div>
  );
}
