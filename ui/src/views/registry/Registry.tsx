// What is kept by name (variables, connections, secrets, pools): a list, a form to make and change one, a question
// before one is deleted. Which one the form is about stands in the URL (`?edit=name`, `?edit=+` for a new one).
import { ActionIcon, Button, Drawer, Menu, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { EllipsisVertical, Pencil, Plus, Trash2 } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useMay, type Role } from "@/api/access";
import { itemsOf, type pages } from "@/api/pages";
import type { ApiError } from "@/api/problem";
import { useUrlState } from "@/app/search";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { ErrorView } from "@/components/ErrorView";
import { FilterBar } from "@/components/FilterBar";
import { tableOf } from "@/components/list";
import { Page } from "@/components/Page";
import { PermissionGate } from "@/components/PermissionGate";
import { useListState } from "@/components/table-state";
import classes from "./registry.module.css";

interface Named {
  name: string;
  description: string;
}

interface Form<Given> {
  given: Given;
  set: (change: Partial<Given>) => void;
  /** What the server said is wrong with a field. */
  errorOf: (field: string) => string | undefined;
  isNew: boolean;
}

interface Props<Item extends Named, Given> {
  /** `Variables`, and one of them in small letters: `variable`. */
  title: string;
  noun: string;
  /** What it is for: shown while there is none. */
  about: string;
  command: string;
  role: Role;
  /** The list, as the server finds and sorts it. */
  list: (filter: { text?: string }) => ReturnType<typeof pages<Item>>;
  columns: Column<Item>[];
  /** What stands in the form at first; of an existing one, what is known. */
  initial: (item?: Item) => Given;
  fields: (form: Form<Given>) => ReactNode;
  save: {
    mutate: (asked: { name: string; given: Given }, how: { onSuccess: () => void }) => void;
    isPending: boolean;
    error: ApiError | null;
  };
  remove: { mutateAsync: (name: string) => Promise<unknown> };
  /** Whether there is nothing to delete: it comes from the configuration. */
  keeps?: (item: Item) => boolean;
  /** What becomes of it when it is deleted. */
  lost?: string;
  children?: ReactNode;
}

const LIST = { sort: "name", filters: {} };
const URL = { edit: "" };
const NEW = "+";

export function Registry<Item extends Named, Given>(props: Props<Item, Given>) {
  const { title, noun, remove } = props;
  const list = useListState(LIST);
  const query = useInfiniteQuery(props.list(list.query));
  const [{ edit }, setUrl] = useUrlState(URL);
  const [losing, setLosing] = useState<string>();
  const open = (name: string) => setUrl({ edit: name }, { push: true });
  const shown = itemsOf(query.data).find((each) => each.name === edit);
  const alone = useInfiniteQuery({ ...props.list({ text: edit }), enabled: edit !== "" && edit !== NEW && !shown });
  const item = shown ?? itemsOf(alone.data).find((each) => each.name === edit);
  const columns: Column<Item>[] = [
    ...props.columns,
    { id: "act", header: "", width: "56px", cell: (each) => <RowMenu noun={noun} name={each.name} role={props.role} keeps={props.keeps?.(each) ?? false} onEdit={() => open(each.name)} onDelete={() => setLosing(each.name)} /> },
  ];
  return (
    <Page
      title={title}
      actions={
        <PermissionGate role={props.role}>
          <Button leftSection={<Plus size={15} aria-hidden />} onClick={() => open(NEW)}>
            New {noun}
          </Button>
        </PermissionGate>
      }
    >
      {props.children}
      <FilterBar list={list} search={`Search ${noun}s`} table={{ name: noun, columns: props.columns }} />
      <DataTable
        name={noun}
        label={title}
        columns={columns}
        {...tableOf(query)}
        rowKey={(each) => each.name}
        sort={list.sort}
        onSort={list.setSort}
        empty={list.filtered ? <NothingFound what={`${noun}s`} clear={list.clear} /> : <EmptyState title={`There are no ${noun}s`} command={props.command}>{props.about}</EmptyState>}
      />
      {edit && (edit === NEW || item) && <EditDrawer key={edit} {...props} item={item} onClose={() => setUrl({ edit: "" })} />}
      <ConfirmDialog opened={losing !== undefined} onClose={() => setLosing(undefined)} title={`Delete ${noun} ${losing ?? ""}?`} confirm={`Delete ${noun}`} danger onConfirm={() => remove.mutateAsync(losing ?? "")}>
        {props.lost ?? "Code that asks for it fails from then on. This cannot be taken back."}
      </ConfirmDialog>
    </Page>
  );
}

function RowMenu({ noun, name, role, keeps, onEdit, onDelete }: { noun: string; name: string; role: Role; keeps: boolean; onEdit: () => void; onDelete: () => void }) {
  const button = (
    <ActionIcon aria-label={`What to do with ${noun} ${name}`}>
      <EllipsisVertical size={15} />
    </ActionIcon>
  );
  // Not within Menu.Target: that hands what opens the menu to its child, which has to be the button itself.
  if (useMay(role) === false) return <PermissionGate role={role}>{button}</PermissionGate>;
  return (
    <Menu position="bottom-end">
      <Menu.Target>{button}</Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<Pencil size={14} />} onClick={onEdit}>
          Change
        </Menu.Item>
        {!keeps && (
          <Menu.Item color="red" leftSection={<Trash2 size={14} />} onClick={onDelete}>
            Delete
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

function EditDrawer<Item extends Named, Given>({ item, onClose, ...props }: Props<Item, Given> & { item?: Item; onClose: () => void }) {
  const [name, setName] = useState(item?.name ?? "");
  const [given, setGiven] = useState(() => props.initial(item));
  const { error } = props.save;
  const errorOf = (field: string) => error?.fields.get(`/${field}`);
  const submit = (event: React.FormEvent) => {
    event.preventDefault();
    props.save.mutate({ name: name.trim(), given }, { onSuccess: onClose });
  };
  return (
    <Drawer opened onClose={onClose} position="right" size="md" title={item ? `Change ${props.noun} ${item.name}` : `New ${props.noun}`} closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={submit} className={classes.form}>
        {!item && <TextInput required label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus error={errorOf("name")} />}
        {props.fields({ given, set: (change) => setGiven({ ...given, ...change }), errorOf, isNew: !item })}
        {error && error.fields.size === 0 && <ErrorView error={error} />}
        <div className={classes.footer}>
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <Button type="submit" loading={props.save.isPending} disabled={!name.trim()}>
            Save
          </Button>
        </div>
      </form>
    </Drawer>
  );
}
