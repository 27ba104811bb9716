// Code of a definition: where it stands, its text, and of when: as it is now, or as a run ran it.
import { SegmentedControl } from "@mantine/core";
import { useQuery, type UseQueryOptions } from "@tanstack/react-query";
import type { Schema } from "@/api/client";
import { useUrlState } from "@/app/search";
import { CodeBlock } from "@/components/CodeBlock";
import { EmptyState } from "@/components/EmptyState";
import { ErrorView } from "@/components/ErrorView";
import { Section } from "@/components/Page";
import { StateBadge } from "@/components/StateBadge";

type Source = Schema<"SourceCode">;

export function SourceView({ source }: { source: Source }) {
  if (!source.text) return <EmptyState title="There is no code to show">{source.note}</EmptyState>;
  return (
    <Section title={<span className="b-mono">{`${source.file}:${source.line}`}</span>}>
      <p className="b-dim">
        {source.changed && <StateBadge state="warning" label="Changed since" />} {source.note}
      </p>
      <CodeBlock text={source.text} language={source.language} first={source.first} line={source.line} height={720} />
    </Section>
  );
}

const URL = { ran: "" };

/** The same with a choice: the file now, or the version that a run ran. `run`: the one that is offered. */
export function SourceOf<Key extends readonly unknown[]>({ of, run }: { of: (run?: number) => UseQueryOptions<Source, Error, Source, Key>; run?: number }) {
  const [{ ran }, set] = useUrlState(URL);
  const chosen = ran ? Number(ran) : undefined;
  const offered = chosen ?? run;
  const { data, error, refetch } = useQuery(of(chosen));
  return (
    <>
      {offered !== undefined && (
        <SegmentedControl
          size="xs"
          mb="sm"
          aria-label="Which version"
          value={ran}
          data={[
            { value: "", label: "Now" },
            { value: String(offered), label: `As run #${offered} ran it` },
          ]}
          onChange={(value) => set({ ran: value })}
        />
      )}
      {error && !data ? <ErrorView error={error} retry={() => void refetch()} /> : data && <SourceView source={data} />}
    </>
  );
}
