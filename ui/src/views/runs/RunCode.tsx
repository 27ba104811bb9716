// The code of the version that a run ran: of its job, or of each asset that it was to make.
import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { runQueries } from "@/api/runs";
import type { Schema } from "@/api/client";
import { useUrlState } from "@/app/search";
import { ErrorView } from "@/components/ErrorView";
import { SourceView } from "@/components/SourceView";

const URL = { of: "" };

export function RunCode({ detail }: { detail: Schema<"RunDetail"> }) {
  const [{ of }, set] = useUrlState(URL);
  const assets = [...new Set(detail.assets.map((each) => each.asset))].sort();
  const asset = detail.run.kind === "assets" ? of || assets[0] : undefined;
  const { data, error, refetch } = useQuery(runQueries.source(detail.run.id, asset));
  return (
    <>
      {asset !== undefined && assets.length > 1 && (
        <Select aria-label="Which asset" searchable allowDeselect={false} mb="sm" maw={360} data={assets} value={asset} onChange={(value) => set({ of: value ?? "" })} />
      )}
      {error && !data ? <ErrorView error={error} retry={() => void refetch()} /> : data && <SourceView source={data} />}
    </>
  );
}
