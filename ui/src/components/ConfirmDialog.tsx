import { Button, Group, Modal, TextInput } from "@mantine/core";
import { useState, type ReactNode } from "react";

interface Props {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** What will happen. */
  children: ReactNode;
  /** What the button says: a verb. */
  confirm: string;
  onConfirm: () => unknown;
  danger?: boolean;
  /** Has to be typed first: the name of what is lost for ever. */
  type?: string;
}

/** Asks before something that cannot be taken back. It closes when what it does is done. */
export function ConfirmDialog({ opened, onClose, title, children, confirm, onConfirm, danger, type }: Props) {
  const [busy, setBusy] = useState(false);
  const [typed, setTyped] = useState("");
  const act = async () => {
    setBusy(true);
    try {
      await onConfirm();
      onClose();
    } catch {
      // Whoever acts says what went wrong (useAct); the question stays.
    } finally {
      setBusy(false);
      setTyped("");
    }
  };
  return (
    <Modal opened={opened} onClose={onClose} title={title} closeButtonProps={{ "aria-label": "Close" }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void act();
        }}
      >
        {children}
        {type && (
          <TextInput mt="md" label={`Type ${type} to go on`} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
        )}
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={onClose}>
            Keep
          </Button>
          <Button type="submit" color={danger ? "red" : undefined} loading={busy} disabled={type !== undefined && typed !== type} data-autofocus={!type || undefined}>
            {confirm}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
