// Roles by code location: everywhere, and where it is another one.
import { ActionIcon, Button, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { ROLES } from "@/api/access";
import { serviceQueries } from "@/api/service";
import classes from "./RolesField.module.css";

export type RoleName = (typeof ROLES)[number] | "none";
export type Roles = Record<string, RoleName>;

const EVERYWHERE = "*";
const MAY: Record<RoleName, string> = {
  none: "none: sees nothing there",
  viewer: "viewer: looks",
  operator: "operator: launches, cancels, retries, switches",
  editor: "editor: sets variables, connections, pools",
  admin: "admin: sets accounts",
};

interface Props {
  label: string;
  value: Roles;
  onChange: (roles: Roles) => void;
  error?: string;
}

export function RolesField({ label, value, onChange, error }: Props) {
  const { data: locations = [] } = useQuery(serviceQueries.locations());
  const entries = Object.entries(value);
  const free = [EVERYWHERE, ...locations.map((each) => each.name)].filter((name) => !(name in value));
  const nameOf = (location: string) => (location === EVERYWHERE ? "Everywhere else" : location);
  const replace = (at: number, location: string, role: RoleName) =>
    onChange(Object.fromEntries(entries.map((entry, index) => (index === at ? [location, role] : entry))));
  return (
    <fieldset className={classes.field}>
      <legend>{label}</legend>
      {entries.map(([location, role], at) => (
        <div key={location} className={classes.row}>
          <Select
            aria-label={`Location ${at + 1}`}
            data={[location, ...free].map((name) => ({ value: name, label: nameOf(name) }))}
            value={location}
            allowDeselect={false}
            onChange={(next) => next && replace(at, next, role)}
          />
          <Select
            aria-label={`Role at ${nameOf(location)}`}
            data={(location === EVERYWHERE ? ROLES : [...ROLES, "none" as const]).map((name) => ({ value: name, label: MAY[name] }))}
            value={role}
            allowDeselect={false}
            onChange={(next) => next && replace(at, location, next as RoleName)}
          />
          <ActionIcon onClick={() => onChange(Object.fromEntries(entries.filter((_, index) => index !== at)))} aria-label={`Take away the role at ${nameOf(location)}`}>
            <X size={14} />
          </ActionIcon>
        </div>
      ))}
      {free.length > 0 && (
        <Button variant="subtle" leftSection={<Plus size={14} />} onClick={() => onChange({ ...value, [free[0] ?? EVERYWHERE]: "viewer" })}>
          Add a role
        </Button>
      )}
      {error && <p className={classes.error}>{error}</p>}
    </fieldset>
  );
}

/** `operator`, `viewer, operator at shop`. */
export function rolesText(roles: Record<string, string>): string {
  return Object.entries(roles)
    .sort(([a], [b]) => Number(b === EVERYWHERE) - Number(a === EVERYWHERE) || a.localeCompare(b))
    .map(([location, role]) => (location === EVERYWHERE ? role : `${role} at ${location}`))
    .join(", ");
}
