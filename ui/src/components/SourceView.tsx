// Code of a definition: where it stands, and its text.
import type { Schema } from "@/api/client";
import { CodeBlock } from "@/components/CodeBlock";
import { EmptyState } from "@/components/EmptyState";
import { Section } from "@/components/Page";

export function SourceView({ source }: { source: Schema<"SourceCode"> }) {
  if (!source.text) return <EmptyState title="There is no code to show">{source.note}</EmptyState>;
  return (
    <Section title={<span className="b-mono">{`${source.file}:${source.line}`}</span>}>
      {source.note && <p className="b-dim">{source.note}</p>}
      <CodeBlock text={source.text} language={source.language} first={source.first} line={source.line} height={720} />
    </Section>
  );
}
