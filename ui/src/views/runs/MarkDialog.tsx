// Saying by hand how task runs, or a run, have ended.
import { Button, Group, Modal, SegmentedControl, Text, Textarea } from "@mantine/core";
import { useState } from "react";
import type { Schema } from "@/api/client";
import { useMarkRun } from "@/api/runs";

type State = Schema<"Mark">["state"];

interface Props {
  opened: boolean;
  onClose(): void;
  run: number;
  /** Task runs by their keys; null: the run as a whole. */
  tasks: string[] | null;
}

const STATES = { succeeded: "Succeeded", failed: "Failed", skipped: "Skipped" };

export function MarkDialog({ opened, onClose, run, tasks }: Props) {
  const [state, setState] = useState<State>("succeeded");
  const [note, setNote] = useState("");
  const mark = useMarkRun();
  const possible = Object.entries(STATES).filter(([value]) => tasks !== null || value !== "skipped");
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={`Mark ${tasks === null ? `run ${run}` : tasks.join(", ")}`}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          mark.mutate({ run, mark: { state, tasks, note } }, { onSuccess: onClose });
        }}
      >
        <SegmentedControl
          aria-label="As"
          fullWidth
          value={state}
          onChange={(value) => setState(value as State)}
          data={possible.map(([value, label]) => ({ value, label }))}
        />
        <Text size="sm" mt="md" c="dimmed">
          {tasks === null
            ? "What is running is stopped first; what has run stays as it is."
            : "What it held back goes on where it is marked as succeeded or skipped. What is downstream and has run stays as it is."}
        </Text>
        <Textarea
          mt="md"
          label="Why, for the record"
          autosize
          minRows={2}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <Button type="submit" loading={mark.isPending}>
            Mark as {state}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
