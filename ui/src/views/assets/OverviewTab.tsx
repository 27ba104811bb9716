import { Link } from "@tanstack/react-router";
import type { Schema } from "@/api/client";
import { countText, plural } from "@/app/format";
import { CopyButton } from "@/components/CopyButton";
import { KeyValue } from "@/components/KeyValue";
import { AssetLink, JobLink, RunLink } from "@/components/links";
import { Markdown } from "@/components/Markdown";
import { MetadataView } from "@/components/MetadataView";
import { Section } from "@/components/Page";
import { StateBadge, Tag } from "@/components/StateBadge";
import { RelativeTime } from "@/components/time";
import { TermLinks } from "@/views/glossary/GlossaryPage";
import classes from "./assets.module.css";

/** What it is, how it is now and why, what is around it. */
export function OverviewTab({ detail }: { detail: Schema<"AssetDetail"> }) {
  const { asset, last } = detail;
  return (
    <div className={classes.columns}>
      <div>
        <Section title="What it is">
          {asset.description.trim() ? (
            <Markdown text={asset.description} />
          ) : (
            <p className="b-dim">It has no description yet: the docstring of its function, in Markdown, is shown here.</p>
          )}
        </Section>
        <Terms terms={detail.terms} />
        <State asset={asset} />
        <Around detail={detail} />
        {last && Object.keys(last.metadata).length > 0 && (
          <Section title={<>As last made{last.partition && <> · <span className="b-mono">{last.partition}</span></>}</>}>
            <MetadataView values={last.metadata} />
          </Section>
        )}
      </div>
      <div>
        <Section title="Facts">
          <KeyValue facts={factsOf(detail)} />
        </Section>
        {Object.keys(detail.metadata).length > 0 && (
          <Section title="As defined">
            <MetadataView values={detail.metadata} />
          </Section>
        )}
      </div>
    </div>
  );
}

/** What words of the glossary it or its columns are about. */
function Terms({ terms }: { terms: Schema<"TermOfAsset">[] }) {
  if (terms.length === 0) return null;
  return (
    <Section title="Terms">
      <dl className={classes.terms}>
        {terms.map(({ name, meaning, owner, links, itself, columns }) => (
          <div key={name}>
            <dt>
              <Link to="/glossary" search={{ text: name }} className="b-link">
                {name}
              </Link>
              <span className="b-dim">{[itself && "the asset", ...columns].filter(Boolean).join(", ")}</span>
            </dt>
            <dd>
              {meaning} {owner && <span className="b-dim">Ask {owner}. </span>}
              <TermLinks links={links} />
            </dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}

/** Why it is not fresh. */
function State({ asset }: { asset: Schema<"Asset"> }) {
  if (asset.external || asset.state === "fresh") return null;
  return (
    <Section title={asset.state === "missing" ? "Why it is missing" : "Why it is stale"}>
      <ul className={classes.reasons}>
        {asset.reasons.map(({ reason, partitions }) => (
          <li key={reason}>
            {reason}
            {asset.partitions !== null && <span className="b-dim"> · {plural(partitions, "partition")}</span>}
          </li>
        ))}
        {asset.reasons.length === 0 && <li>It was never made.</li>}
      </ul>
    </Section>
  );
}

function Around({ detail }: { detail: Schema<"AssetDetail"> }) {
  const side = (title: string, keys: string[], none: string) => (
    <div>
      <h3>
        {title} <span className="b-dim">{keys.length || ""}</span>
      </h3>
      {keys.length === 0 && <p className="b-dim">{none}</p>}
      <ul>
        {keys.map((key) => (
          <li key={key}>
            <AssetLink asset={key} />
          </li>
        ))}
      </ul>
    </div>
  );
  return (
    <Section title="Lineage">
      <div className={classes.around}>
        {side("Made from", detail.upstream, "Nothing: it comes from outside.")}
        {side("Goes into", detail.downstream, "Nothing yet.")}
      </div>
    </Section>
  );
}

function factsOf({ asset, ...detail }: Schema<"AssetDetail">): [string, React.ReactNode][] {
  const list = (items: React.ReactNode[]) => items.length > 0 && <span className={classes.list}>{items}</span>;
  return [
    ["Owners", asset.owners.join(", ") || <span className="b-dim">nobody yet</span>],
    ["Group", asset.group || false],
    ["Rows", asset.rows !== null && countText(asset.rows)],
    ["Partitions", detail.partitions || false],
    ["Of them", list(Object.entries(asset.counts).filter(([, count]) => count).map(([state, count]) => <StateBadge key={state} state={state} label={countText(count)} />))],
    ["Checks", asset.checks > 0 && `${asset.checks_passed} of ${asset.checks} pass`],
    ["Jobs", list(detail.jobs.map((job) => <JobLink key={job} job={job} />))],
    ["Made with", list(detail.made_with.map((key) => <AssetLink key={key} asset={key} />))],
    ["Tags", list(Object.entries(asset.tags).map(([key, value]) => <Tag key={key}>{value ? `${key}=${value}` : key}</Tag>))],
    ["Links", list(detail.links.map((link) => <a key={link.url} href={link.url} className="b-link" target="_blank" rel="noreferrer">{link.title}</a>))],
    ["Last made", detail.last && <><RelativeTime at={detail.last.at} /> by <RunLink run={detail.last.run} /></>],
    ["Data version", detail.last?.data_version && <Version text={detail.last.data_version} />],
    ["Code version", detail.code_version && <Version text={detail.code_version} />],
  ];
}

function Version({ text }: { text: string }) {
  return (
    <span className="b-mono" title={text}>
      {text.slice(0, 12)} <CopyButton text={text} label="Copy version" />
    </span>
  );
}
