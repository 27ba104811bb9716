// What the task runs of a run have left to be looked at: reports, tables, pictures, links, files, how far they are.
import { Button, Progress, Skeleton } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Download, FileText } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { artifactQueries, fileOf, type Artifact } from "@/api/artifacts";
import { itemsOf } from "@/api/pages";
import { sizeText } from "@/app/format";
import type { Search } from "@/app/search";
import { EmptyState } from "@/components/EmptyState";
import { ErrorView } from "@/components/ErrorView";
import { MetadataValue } from "@/components/MetadataView";
import { Markdown } from "@/components/Markdown";
import { RelativeTime } from "@/components/time";
import classes from "./Artifacts.module.css";

/** Those of a run, or of one of its task runs. */
export function Artifacts({ run, task }: { run: number; task?: number }) {
  const query = useInfiniteQuery(artifactQueries.ofRun(run, task));
  if (query.error && !query.data) return <ErrorView error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton height={120} />;
  const all = itemsOf(query.data);
  if (all.length === 0) {
    return (
      <EmptyState icon={FileText} title="Nothing has been left to be looked at">
        A task leaves tables, Markdown, pictures, links and files with batuta.artifact, while it runs.
      </EmptyState>
    );
  }
  const progress = all.filter((one) => one.kind === "progress");
  const rest = all.filter((one) => one.kind !== "progress");
  return (
    <>
      {progress.length > 0 && (
        <ul className={`b-card ${classes.progress}`} aria-label="Progress">
          {progress.map((one) => (
            <HowFar key={one.id} artifact={one} />
          ))}
        </ul>
      )}
      <div className={classes.all}>
        {rest.map((one) => (
          <One key={one.id} artifact={one} ofTask={task !== undefined} />
        ))}
      </div>
      {query.hasNextPage && (
        <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show older ones
        </Button>
      )}
    </>
  );
}

function HowFar({ artifact }: { artifact: Artifact }) {
  const percent = Math.round((artifact.progress ?? 0) * 100);
  return (
    <li>
      <span className="b-ellipsis">{artifact.title || artifact.name}</span>
      <Progress value={percent} aria-label={`${artifact.title || artifact.name}: ${percent}%`} />
      <span className={classes.percent}>{percent}%</span>
    </li>
  );
}

function One({ artifact, ofTask }: { artifact: Artifact; ofTask: boolean }) {
  const { element, seen } = useSeen();
  return (
    <figure ref={element} className={`b-card ${classes.one}`} data-kind={artifact.kind}>
      <figcaption>
        <div className={classes.names}>
          <strong>{artifact.title || artifact.name}</strong>
          <span className="b-dim">
            {[artifact.title ? artifact.name : "", artifact.kind, sizeText(artifact.size)].filter(Boolean).join(" · ")}
          </span>
          <span className="b-dim">
            <RelativeTime at={artifact.at} />
          </span>
          {!ofTask && (
            <Link
              to="."
              search={(before: Search) => ({ ...before, task: String(artifact.task), part: "artifacts" })}
              className="b-link"
              resetScroll={false}
            >
              task run {artifact.task}
            </Link>
          )}
        </div>
        {artifact.file && (
          <Button component="a" href={fileOf(artifact, true)} variant="subtle" leftSection={<Download size={14} />}>
            Download
          </Button>
        )}
      </figcaption>
      {seen && <Content artifact={artifact} />}
    </figure>
  );
}

/** Whether something has come into sight: what is far down is fetched when one gets there. */
function useSeen() {
  const element = useRef<HTMLElement>(null);
  const [seen, setSeen] = useState(typeof IntersectionObserver === "undefined");
  useEffect(() => {
    if (seen || element.current === null) return;
    const look = (found: IntersectionObserverEntry[]) => found.some((one) => one.isIntersecting) && setSeen(true);
    const observer = new IntersectionObserver(look, { rootMargin: "300px" });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [seen]);
  return { element, seen };
}

function Content({ artifact }: { artifact: Artifact }) {
  if (artifact.kind === "image") {
    return <img className={classes.image} src={fileOf(artifact)} alt={artifact.title || artifact.name} loading="lazy" />;
  }
  if (artifact.kind === "file") return null;
  return <Told artifact={artifact} />;
}

function Told({ artifact }: { artifact: Artifact }) {
  const { data, error, refetch } = useQuery(artifactQueries.one(artifact.id, artifact.at));
  if (error) return <ErrorView error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={60} />;
  if (data.gone) return <p className="b-dim">{data.gone}</p>;
  if (artifact.kind === "markdown") return <Markdown text={data.text} />;
  if (typeof data.data !== "object" || data.data === null) return null;
  return <MetadataValue name={artifact.name} value={{ type: artifact.kind, ...(data.data as object) }} />;
}
