import { useQuery } from "@tanstack/react-query";
import { glossaryQuery, type GlossaryTerm } from "@/api/assets";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { FilterBar } from "@/components/FilterBar";
import { AssetLink } from "@/components/links";
import { Page } from "@/components/Page";
import { useListState } from "@/components/table-state";
import classes from "./glossary.module.css";

const LIST = { sort: "", filters: {} };

const COLUMNS: Column<GlossaryTerm>[] = [
  { id: "name", header: "Term", cell: (term) => <strong>{term.name}</strong>, width: "18%", card: "head" },
  { id: "meaning", header: "Meaning", cell: (term) => <Meaning term={term} />, width: "38%" },
  { id: "owner", header: "Owner", cell: (term) => term.owner || <span className="b-dim">nobody yet</span>, width: "16%" },
  { id: "about", header: "About it", cell: (term) => <About term={term} /> },
];

/** What words mean, and which assets and columns are about them. */
export function GlossaryPage() {
  const list = useListState(LIST);
  const query = useQuery(glossaryQuery(list.text));
  return (
    <Page title="Glossary">
      <FilterBar list={list} search="Search terms" filters={[]} table={{ name: "glossary", columns: COLUMNS }} />
      <DataTable
        name="glossary"
        label="Glossary"
        columns={COLUMNS}
        rows={query.data}
        error={query.error}
        retry={() => void query.refetch()}
        rowKey={(term) => term.name}
        empty={
          list.filtered ? (
            <NothingFound what="terms" clear={list.clear} />
          ) : (
            <EmptyState title="There is no glossary yet">Say what words mean in [glossary] of batuta.toml.</EmptyState>
          )
        }
      />
    </Page>
  );
}

function Meaning({ term }: { term: GlossaryTerm }) {
  return (
    <span className={classes.wrapped}>
      {term.meaning} <TermLinks links={term.links} />
    </span>
  );
}

/** Only what leads to the web is a link; anything else is told as text. */
export function TermLinks({ links }: { links: readonly string[] }) {
  return links.map((link) =>
    /^https?:\/\//i.test(link) ? (
      <a key={link} href={link} className="b-link" target="_blank" rel="noreferrer">
        {link.replace(/^https?:\/\//i, "")}
      </a>
    ) : (
      <span key={link}>{link} </span>
    ),
  );
}

function About({ term }: { term: GlossaryTerm }) {
  if (term.assets.length + term.columns.length === 0) return <span className="b-dim">nothing yet</span>;
  return (
    <span className={classes.about}>
      {term.assets.map((asset) => (
        <AssetLink key={asset} asset={asset} />
      ))}
      {term.columns.map(({ asset, column }) => (
        <AssetLink key={`${asset}.${column}`} asset={asset}>{`${asset}.${column}`}</AssetLink>
      ))}
    </span>
  );
}
