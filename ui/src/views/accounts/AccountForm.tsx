// Making an account, or changing one. The first account of an installation has to be an admin with a password.
import { Button, Group, Modal, PasswordInput, SegmentedControl, Stack, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import { useSetAccount, type Account } from "@/api/access";
import { FormError } from "@/components/FormError";
import { RolesField, type Roles } from "@/components/RolesField";

interface Props {
  opened: boolean;
  onClose: () => void;
  account?: Account;
  first?: boolean;
}

const SHORTEST = 10;
const FIELDS = ["/password", "/title", "/roles"];

export function AccountForm(props: Props) {
  const title = props.account ? `Change ${props.account.name}` : props.first ? "The first account" : "New account";
  return (
    <Modal opened={props.opened} onClose={props.onClose} title={title} size="lg" closeOnClickOutside={false} closeButtonProps={{ "aria-label": "Close" }}>
      {props.opened && <Form {...props} />}
    </Modal>
  );
}

function Form({ account, first, onClose }: Props) {
  const [name, setName] = useState(account?.name ?? "");
  const [kind, setKind] = useState<Account["kind"]>(account?.kind ?? "user");
  const [title, setTitle] = useState(account?.title ?? "");
  const [password, setPassword] = useState("");
  const [roles, setRoles] = useState<Roles>((account?.roles as Roles | undefined) ?? { "*": first ? "admin" : "viewer" });
  const [disabled, setDisabled] = useState(account?.disabled ?? false);
  const save = useSetAccount();
  const withPassword = kind === "user" && !account?.elsewhere;
  const short = password !== "" && password.length < SHORTEST ? `${SHORTEST} characters or more` : undefined;
  const missing = withPassword && !account && password.length < SHORTEST;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const given = { kind, title, roles, disabled, password: withPassword && password ? password : null };
        save.mutate({ name, given }, { onSuccess: onClose });
      }}
    >
      <Stack gap="sm">
        <FormError error={save.error} fields={FIELDS} />
        {!account && !first && (
          <SegmentedControl
            aria-label="Kind of account"
            value={kind}
            data={[
              { value: "user", label: "User: logs in" },
              { value: "service", label: "Service: has tokens alone" },
            ]}
            onChange={(value) => setKind(value as Account["kind"])}
          />
        )}
        {!account && <TextInput label="Name" required data-autofocus autoComplete="off" maxLength={200} value={name} onChange={(event) => setName(event.currentTarget.value)} />}
        <TextInput label="Who or what it is" placeholder="Ada Lovelace" maxLength={200} value={title} error={save.error?.fields.get("/title")} onChange={(event) => setTitle(event.currentTarget.value)} />
        {withPassword && (
          <PasswordInput
            label={account ? "New password (empty: as it is)" : "Password"}
            required={!account}
            autoComplete="new-password"
            error={short ?? save.error?.fields.get("/password")}
            value={password}
            visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
        )}
        <RolesField label="Roles" value={roles} onChange={setRoles} error={save.error?.fields.get("/roles")} />
        {account && <Switch label="Disabled: cannot be used for now" checked={disabled} onChange={(event) => setDisabled(event.currentTarget.checked)} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending} disabled={!name.trim() || missing || short !== undefined}>
            {account ? "Save" : "Make account"}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
