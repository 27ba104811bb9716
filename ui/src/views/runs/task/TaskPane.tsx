// The task run that is looked at: its log, its attempts and errors, what it was given and gave, what stands around it.
import { ActionIcon, Button, Select, Skeleton, Tabs, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { RotateCw, X } from "lucide-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import type { Schema } from "@/api/client";
import { runQueries, useRetryRun } from "@/api/runs";
import { useUrlState } from "@/app/search";
import { ErrorView } from "@/components/ErrorView";
import { PermissionGate } from "@/components/PermissionGate";
import { StateBadge, Tag } from "@/components/StateBadge";
import { Duration } from "@/components/time";
import { lookOf } from "@/design/states";
import { Artifacts } from "../Artifacts";
import { MarkDialog } from "../MarkDialog";
import { Attempts } from "./Attempts";
import { Around } from "./Around";
import classes from "./TaskPane.module.css";
import { Values } from "./Values";

const LogViewer = lazy(() => import("../logs/LogViewer").then((module) => ({ default: module.LogViewer })));

type Detail = Schema<"TaskRunDetail">;

const URL_STATE = { part: "", attempt: "" };

interface Props {
  run: number;
  no: number;
  /** What may be asked of the run. */
  actions: readonly string[];
  location: string;
  onClose(): void;
}

export function TaskPane({ run, no, actions, location, onClose }: Props) {
  const { data, error, refetch } = useQuery(runQueries.task(run, no));
  const [url, setUrl] = useUrlState(URL_STATE);
  const [marking, setMarking] = useState(false);
  const pane = useRef<HTMLElement>(null);
  const retry = useRetryRun();
  useEffect(() => {
    pane.current?.scrollIntoView({ block: "nearest" });
  }, [no]);
  if (error && !data) return <ErrorView error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={200} radius="md" mb="md" />;
  const { task } = data;
  const attempt = url.attempt === "" ? Math.max(1, task.attempt) : Number(url.attempt);
  const part = url.part || usualPart(data);
  const key = task.key;
  return (
    <section ref={pane} className={`b-card ${classes.pane}`} aria-label={`Task run ${key}`}>
      <header className={classes.head}>
        <h2 className="b-ellipsis" title={key}>
          {key}
        </h2>
        <StateBadge state={task.state} />
        <Tag>{task.kind}</Tag>
        <span className="b-dim">
          <Duration seconds={task.duration_s} since={task.state === "running" ? task.started_at : null} />
        </span>
        <span className={classes.space} />
        {data.attempts.length > 1 && (
          <Select
            aria-label="Attempt"
            w={170}
            allowDeselect={false}
            value={String(attempt)}
            onChange={(value) => setUrl({ attempt: value === String(task.attempt) ? "" : (value ?? "") })}
            data={data.attempts.map((one) => ({
              value: String(one.attempt),
              label: `Attempt ${one.attempt}: ${lookOf(one.outcome).label.toLowerCase()}`,
            }))}
          />
        )}
        {actions.includes("retry") && (
          <PermissionGate role="operator" location={location}>
            <Button
              variant="default"
              leftSection={<RotateCw size={14} />}
              loading={retry.isPending}
              onClick={() => retry.mutate({ run, tasks: [key] })}
            >
              Retry it and what follows
            </Button>
          </PermissionGate>
        )}
        {actions.includes("mark") && (
          <PermissionGate role="operator" location={location}>
            <Button variant="default" onClick={() => setMarking(true)}>
              Mark as…
            </Button>
          </PermissionGate>
        )}
        <Tooltip label="Close">
          <ActionIcon aria-label="Close the task run" onClick={onClose}>
            <X size={16} />
          </ActionIcon>
        </Tooltip>
      </header>
      <Tabs value={part} onChange={(next) => setUrl({ part: next ?? "" })} keepMounted={false}>
        <Tabs.List aria-label="Parts of the task run" px="xs">
          <Tabs.Tab value="log">Log</Tabs.Tab>
          <Tabs.Tab value="attempts" rightSection={<span className="b-dim">{data.attempts.length}</span>}>
            {task.error ? "Error and attempts" : "Attempts"}
          </Tabs.Tab>
          <Tabs.Tab value="values">Inputs and output</Tabs.Tab>
          <Tabs.Tab value="artifacts">Artifacts</Tabs.Tab>
          <Tabs.Tab value="around">Around it</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="log" className={classes.log}>
          <Suspense fallback={<Skeleton height={120} m="sm" />}>
            <LogViewer key={`${run} ${no} ${attempt}`} run={run} no={no} attempt={attempt} name={key} />
          </Suspense>
        </Tabs.Panel>
        <Tabs.Panel value="attempts" className={classes.part}>
          <Attempts
            detail={data}
            chosen={attempt}
            onChoose={(one) => setUrl({ attempt: one === task.attempt ? "" : String(one), part: "log" })}
          />
        </Tabs.Panel>
        <Tabs.Panel value="values" className={classes.part}>
          <Values run={run} no={no} />
        </Tabs.Panel>
        <Tabs.Panel value="artifacts" className={classes.part}>
          <Artifacts run={run} task={no} />
        </Tabs.Panel>
        <Tabs.Panel value="around" className={classes.part}>
          <Around detail={data} />
        </Tabs.Panel>
      </Tabs>
      <MarkDialog opened={marking} onClose={() => setMarking(false)} run={run} tasks={[key]} />
    </section>
  );
}

/** Of what failed the error; of what said something its log. */
function usualPart({ task, attempts }: Detail): string {
  if (task.error) return "attempts";
  return task.logged || task.state === "running" || attempts.some((one) => one.logged) ? "log" : "attempts";
}
