import { Alert, Button, Group, Modal, Select, Stack, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import { accessQueries, may, useMakeToken, type Me } from "@/api/access";
import { ALL, itemsOf } from "@/api/pages";
import { Command } from "@/components/EmptyState";
import { FormError } from "@/components/FormError";
import { RolesField, type Roles } from "@/components/RolesField";
import { CodeBlock } from "@/components/CodeBlock";

const LASTS = [
  { value: "7", label: "A week" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "A year" },
  { value: "never", label: "For ever" },
];

export function NewToken({ me, opened, onClose }: { me: Me; opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="New API token" size="lg" closeOnClickOutside={false} closeButtonProps={{ "aria-label": "Close" }}>
      {opened && <Form me={me} onClose={onClose} />}
    </Modal>
  );
}

function Form({ me, onClose }: { me: Me; onClose: () => void }) {
  const [title, setTitle] = useState("");
  const [account, setAccount] = useState(me.name);
  const [days, setDays] = useState("90");
  const [roles, setRoles] = useState<Roles>({});
  const make = useMakeToken();
  const admin = may(me, "admin");
  const { data: accounts } = useInfiniteQuery({ ...accessQueries.accounts({ limit: ALL }), enabled: admin });
  if (make.data) return <Made text={make.data.text} onClose={onClose} />;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate({ title, account: account === me.name ? "" : account, days: days === "never" ? null : Number(days), roles });
      }}
    >
      <Stack gap="sm">
        <FormError error={make.error} fields={["/title"]} />
        <TextInput
          label="What it is for"
          placeholder="CI"
          required
          maxLength={200}
          data-autofocus
          value={title}
          error={make.error?.fields.get("/title")}
          onChange={(event) => setTitle(event.currentTarget.value)}
        />
        {admin && (
          <Select
            label="Account"
            searchable
            allowDeselect={false}
            data={accounts ? itemsOf(accounts).map((each) => each.name) : [me.name]}
            value={account}
            onChange={(value) => value && setAccount(value)}
          />
        )}
        <Select label="It is good for" allowDeselect={false} data={LASTS} value={days} onChange={(value) => value && setDays(value)} />
        <RolesField label="It may at most this (nothing: all that the account may)" value={roles} onChange={setRoles} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={make.isPending} disabled={!title.trim()}>
            Make token
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Made({ text, onClose }: { text: string; onClose: () => void }) {
  return (
    <Stack gap="sm">
      <Alert color="yellow" variant="light" icon={<TriangleAlert size={16} />}>
        This is shown once. Keep it as you keep a password; whoever has it may do what it may.
      </Alert>
      <CodeBlock text={text} />
      <div>
        <Command text={`curl -H "Authorization: Bearer $TOKEN" ${window.location.origin}/api/v1/runs`} />
      </div>
      <Group justify="flex-end">
        <Button onClick={onClose}>Done</Button>
      </Group>
    </Stack>
  );
}
