import { useQuery } from "@tanstack/react-query";
import { assetQueries } from "@/api/assets";
import { ErrorView } from "@/components/ErrorView";
import { SourceView } from "@/components/SourceView";

export function SourceTab({ asset }: { asset: string }) {
  const { data, error, refetch } = useQuery(assetQueries.source(asset));
  if (error && !data) return <ErrorView error={error} retry={() => void refetch()} />;
  return data ? <SourceView source={data} /> : null;
}
