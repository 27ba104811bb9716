// The one graph over all locations and all three ways to write; and that of the columns of an asset.
import { Skeleton } from "@mantine/core";
import { Workflow } from "lucide-react";
import { useUrlState } from "@/app/search";
import { EmptyState } from "@/components/EmptyState";
import { ErrorView } from "@/components/ErrorView";
import { Page } from "@/components/Page";
import { warmEngine } from "@/graph/engine";
import { ColumnLineage } from "./ColumnLineage";
import { LineageGraph } from "./LineageGraph";
import { useLineage } from "./useLineage";

warmEngine();

const URL_STATE = { columns: "", column: "", direction: "", rows: "" };

export function LineagePage() {
  const { data, error, refetch } = useLineage();
  const [url, setUrl] = useUrlState(URL_STATE);
  if (error && !data) return <ErrorView error={error} retry={() => void refetch()} />;
  if (!data) {
    return (
      <Page title="Lineage">
        <Skeleton height={520} radius="md" />
      </Page>
    );
  }
  if (data.nodes.length === 0) {
    return (
      <Page title="Lineage">
        <EmptyState icon={Workflow} title="There is no lineage yet" command="batuta init --template assets">
          Assets, and tasks that say what they read and write, stand here as one graph: which table is made from which,
          over all code locations.
        </EmptyState>
      </Page>
    );
  }
  if (url.columns !== "") {
    return (
      <Page title="Lineage" about={`What the columns of ${url.columns} are made from, and made into`}>
        <ColumnLineage state={url} onChange={(change) => setUrl(change, { push: true })} layers={data.layers} />
      </Page>
    );
  }
  const show = (asset: string, column = "") => setUrl({ columns: asset, column }, { push: true });
  return <LineageGraph lineage={data} onColumns={show} />;
}
