// What may be asked of a run: the server says which of it makes sense now, the roles who may.
import { Button, Checkbox, Menu, Text } from "@mantine/core";
import { Ban, ChevronDown, Ellipsis, Play, RotateCw } from "lucide-react";
import { useState } from "react";
import type { Schema } from "@/api/client";
import { useCancelRun, useResumeRun, useRetryRun } from "@/api/runs";
import { useShortcut } from "@/app/shortcuts";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { PermissionGate } from "@/components/PermissionGate";
import { MarkDialog } from "./MarkDialog";

type Detail = Schema<"RunDetail">;

/** `task`: the task run that is looked at, by its key. */
export function RunActions({ detail, task }: { detail: Detail; task: string | null }) {
  const { run, actions, counts } = detail;
  const [cancelling, setCancelling] = useState(false);
  const [hard, setHard] = useState(false);
  const [marking, setMarking] = useState(false);
  const cancel = useCancelRun();
  const retry = useRetryRun();
  const resume = useResumeRun();
  const failed = (counts.failed ?? 0) + (counts.upstream_failed ?? 0) + (counts.cancelled ?? 0) > 0;
  const may = (action: string) => actions.includes(action);
  const retryFailed = () => retry.mutate({ run: run.id });
  useShortcut(may("retry") && failed ? "r" : undefined, "Retry from failure", retryFailed);
  useShortcut(may("cancel") ? "x" : undefined, "Cancel the run", () => setCancelling(true));
  return (
    <>
      {may("resume") && run.state !== "paused" && (
        <PermissionGate role="operator" location={run.location}>
          <Button
            variant="default"
            leftSection={<Play size={14} />}
            loading={resume.isPending}
            onClick={() => resume.mutate({ run: run.id })}
          >
            Go on
          </Button>
        </PermissionGate>
      )}
      {may("retry") && (
        <Button.Group>
          <PermissionGate role="operator" location={run.location}>
            <Button
              variant={failed ? "filled" : "default"}
              leftSection={<RotateCw size={14} />}
              loading={retry.isPending}
              disabled={!failed && task === null}
              onClick={() => (failed ? retryFailed() : retry.mutate({ run: run.id, tasks: [task!] }))}
            >
              {failed ? "Retry from failure" : "Retry"}
            </Button>
          </PermissionGate>
          <Menu position="bottom-end">
            <Menu.Target>
              <Button variant={failed ? "filled" : "default"} px={7} aria-label="Other ways to retry">
                <ChevronDown size={14} />
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item disabled={task === null} onClick={() => retry.mutate({ run: run.id, tasks: [task!] })}>
                {task === null ? "Select a task run to retry it and what follows" : `Retry ${task} and what follows`}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Button.Group>
      )}
      {may("cancel") && (
        <PermissionGate role="operator" location={run.location}>
          <Button variant="default" leftSection={<Ban size={14} />} onClick={() => setCancelling(true)}>
            Cancel run
          </Button>
        </PermissionGate>
      )}
      {may("mark") && (
        <Menu position="bottom-end">
          <Menu.Target>
            <Button variant="default" px={7} aria-label="More">
              <Ellipsis size={14} />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => setMarking(true)}>Mark the run as succeeded or failed</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      <MarkDialog opened={marking} onClose={() => setMarking(false)} run={run.id} tasks={null} />
      <ConfirmDialog
        opened={cancelling}
        onClose={() => setCancelling(false)}
        title={`Cancel run ${run.id} of ${run.job}?`}
        confirm="Cancel run"
        danger
        onConfirm={() => cancel.mutateAsync({ run: run.id, hard })}
      >
        <Text size="sm">
          What is running is asked to end; what has not begun does not begin. Teardowns are still run.
        </Text>
        <Checkbox
          mt="md"
          size="xs"
          label="At once: end what is running without asking it, teardowns too"
          checked={hard}
          onChange={(event) => setHard(event.currentTarget.checked)}
        />
      </ConfirmDialog>
    </>
  );
}
