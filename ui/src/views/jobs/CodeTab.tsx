import { useQuery } from "@tanstack/react-query";
import { jobQueries } from "@/api/jobs";
import { ErrorView } from "@/components/ErrorView";
import { SourceView } from "@/components/SourceView";

export function CodeTab({ job, location }: { job: string; location: string }) {
  const { data, error, refetch } = useQuery(jobQueries.source(job, location));
  if (error && !data) return <ErrorView error={error} retry={() => void refetch()} />;
  return data ? <SourceView source={data} /> : null;
}
