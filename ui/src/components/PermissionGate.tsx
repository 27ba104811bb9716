import { Tooltip } from "@mantine/core";
import { cloneElement, type ReactElement, type ReactNode } from "react";
import { useMay, type Role } from "@/api/access";
import { EmptyState } from "@/components/EmptyState";
import { Lock } from "lucide-react";

interface Props {
  role: Role;
  /** The code location of what it is about; "?": any; without one: everywhere. */
  location?: string;
  children: ReactElement<{ disabled?: boolean }>;
}

/** A button or field that takes a role: without it, it is off and says why. */
export function PermissionGate({ role, location, children }: Props) {
  const allowed = useMay(role, location);
  if (allowed !== false) return children;
  return (
    <Tooltip label={`That takes the role ${role}${location && location !== "?" ? ` at ${location}` : ""}`}>
      <span tabIndex={0}>{cloneElement(children, { disabled: true })}</span>
    </Tooltip>
  );
}

/** A whole page that takes a role. */
export function RoleOnly({ role, children }: { role: Role; children: ReactNode }) {
  const allowed = useMay(role);
  if (allowed === undefined) return null;
  if (allowed) return <>{children}</>;
  return (
    <EmptyState icon={Lock} title={`This takes the role ${role}`}>
      An admin can give it to you: accounts and their roles are under Settings.
    </EmptyState>
  );
}
