// What task runs leave to be looked at: queries.
import { queryOptions } from "@tanstack/react-query";
import { call, client, type Schema } from "@/api/client";
import { keys } from "@/api/keys";
import { PAGE, pages } from "@/api/pages";

export type Artifact = Schema<"Artifact">;

export const artifactQueries = {
  /** Of a run, or of one of its task runs; newest first. */
  ofRun: (run: number, task?: number) =>
    pages(keys.runs.part(run, "artifacts", { task }), (cursor, signal) =>
      call(client.GET("/api/v1/artifacts", { params: { query: { run, task, limit: PAGE, cursor } }, signal })),
    ),
  /** With its text or data. `at`: when it was made, since a later one takes its place. */
  one: (id: number, at: string) =>
    queryOptions({
      queryKey: ["artifacts", id, at],
      queryFn: ({ signal }) =>
        call(client.GET("/api/v1/artifacts/{artifact_id}", { params: { path: { artifact_id: id } }, signal })),
      staleTime: Infinity,
    }),
};

/** Where the content of an artifact is: pictures to be shown, all else a download. */
export function fileOf(artifact: Artifact, download = false): string {
  return download ? `${artifact.file}?download=true` : artifact.file;
}
