// Links to things, by what names them.
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { TickerKind } from "@/api/service";

export function RunLink({ run, children }: { run: number; children?: ReactNode }) {
  return (
    <Link to="/runs/$run" params={{ run: String(run) }} className="b-link">
      {children ?? `#${run}`}
    </Link>
  );
}

/** What runs of a selection of assets are called, which no job stands behind. */
const SELECTION = "materialize";

/** `location` is needed only where several define a job of that name. */
export function JobLink({ job, location, children }: { job: string; location?: string; children?: ReactNode }) {
  if (!job) return <span className="b-dim">–</span>;
  if (job === SELECTION) {
    return (
      <Link to="/runs" search={{ job }} className="b-link">
        {children ?? job}
      </Link>
    );
  }
  return (
    <Link to="/jobs/$job" params={{ job }} search={location ? { location } : {}} className="b-link">
      {children ?? job}
    </Link>
  );
}

export function AssetLink({ asset, children }: { asset: string; children?: ReactNode }) {
  return (
    <Link to="/assets/$key" params={{ key: asset }} className="b-link">
      {children ?? asset}
    </Link>
  );
}

export function LocationLink({ location }: { location: string }) {
  return (
    <Link to="/locations/$location" params={{ location }} className="b-link">
      {location}
    </Link>
  );
}

const TICKERS = {
  schedule: "/schedules/$location/$name",
  sensor: "/sensors/$location/$name",
  automation: "/automations/$location/$name",
} as const;

export function TickerLink({ ticker, children }: { ticker: { kind: TickerKind; location: string; name: string }; children?: ReactNode }) {
  return (
    <Link to={TICKERS[ticker.kind]} params={{ location: ticker.location, name: ticker.name }} className="b-link">
      {children ?? ticker.name}
    </Link>
  );
}
