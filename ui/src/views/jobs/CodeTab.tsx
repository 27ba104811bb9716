import { jobQueries } from "@/api/jobs";
import { SourceOf } from "@/components/SourceView";

/** `run`: the last one, whose version can be looked at. */
export function CodeTab({ job, location, run }: { job: string; location: string; run?: number }) {
  return <SourceOf of={(of) => jobQueries.source(job, location, of)} run={run} />;
}
