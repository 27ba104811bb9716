import { assetQueries } from "@/api/assets";
import { SourceOf } from "@/components/SourceView";

/** `run`: the one that made it last, whose version can be looked at. */
export function SourceTab({ asset, run }: { asset: string; run?: number }) {
  return <SourceOf of={(of) => assetQueries.source(asset, of)} run={run} />;
}
