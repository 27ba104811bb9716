import { Button, Group, Modal, PasswordInput, Stack } from "@mantine/core";
import { useState } from "react";
import { useChangePassword } from "@/api/access";
import { FormError } from "@/components/FormError";

const SHORTEST = 10;

export function ChangePassword({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Change password" closeButtonProps={{ "aria-label": "Close" }}>
      {opened && <Form onClose={onClose} />}
    </Modal>
  );
}

function Form({ onClose }: { onClose: () => void }) {
  const [old, setOld] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const change = useChangePassword();
  const short = next !== "" && next.length < SHORTEST ? `${SHORTEST} characters or more` : undefined;
  const other = again !== "" && again !== next ? "This is another one" : undefined;
  const toggle = { visibilityToggleButtonProps: { "aria-label": "Show the password" } };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate({ old, new: next }, { onSuccess: onClose });
      }}
    >
      <Stack gap="sm">
        <FormError error={change.error} />
        <PasswordInput label="Password so far" autoComplete="current-password" required data-autofocus value={old} onChange={(event) => setOld(event.currentTarget.value)} {...toggle} />
        <PasswordInput label="New password" autoComplete="new-password" required error={short} value={next} onChange={(event) => setNext(event.currentTarget.value)} {...toggle} />
        <PasswordInput label="New password again" autoComplete="new-password" required error={other} value={again} onChange={(event) => setAgain(event.currentTarget.value)} {...toggle} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={change.isPending} disabled={!old || next.length < SHORTEST || next !== again}>
            Change password
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
