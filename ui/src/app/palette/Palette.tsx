// Ctrl K: everything by its name, and what can be done, without the mouse.
import { Loader, Modal } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Keyboard, LogOut, Moon, PanelLeft, Search } from "lucide-react";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { may, useLogOut, useMe } from "@/api/access";
import { serviceQueries } from "@/api/service";
import { prefer, usePreferences } from "@/app/preferences";
import { PAGES } from "@/app/pages";
import { toggleScheme } from "@/app/scheme";
import { StateBadge } from "@/components/StateBadge";
import { fitting, foundEntries, pageEntries, type Entry } from "./entries";
import classes from "./Palette.module.css";

interface Props {
  opened: boolean;
  onClose: () => void;
  onHelp: () => void;
}

export function Palette({ opened, onClose, onHelp }: Props) {
  return (
    <Modal.Root opened={opened} onClose={onClose} size={620} yOffset="10vh" centered={false} transitionProps={{ duration: 80 }}>
      <Modal.Overlay />
      <Modal.Content aria-label="Find anything" radius="md">
        <Modal.Body p={0}>
          <Finder onClose={onClose} onHelp={onHelp} />
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

function useActions(onHelp: () => void): Entry[] {
  const { narrow } = usePreferences();
  const me = useMe();
  const logOut = useLogOut();
  return useMemo(() => {
    const actions: Entry[] = [
      { id: "do:scheme", title: "Toggle theme", kind: "Action", text: "light dark scheme", icon: Moon, run: toggleScheme },
      { id: "do:nav", title: "Fold or unfold the navigation", kind: "Action", text: "sidebar", icon: PanelLeft, run: () => prefer({ narrow: !narrow }) },
      { id: "do:keys", title: "Keyboard shortcuts", kind: "Action", text: "help keys", icon: Keyboard, run: onHelp },
    ];
    if (me?.method === "session") {
      actions.push({ id: "do:logout", title: "Log out", kind: "Action", icon: LogOut, run: () => logOut.mutate(undefined) });
    }
    return actions;
  }, [narrow, me?.method, onHelp, logOut]);
}

function Finder({ onClose, onHelp }: Omit<Props, "opened">) {
  const [text, setText] = useState("");
  const [asked] = useDebouncedValue(text, 120);
  const [at, setAt] = useState(0);
  const navigate = useNavigate();
  const list = useRef<HTMLDivElement>(null);
  const me = useMe();
  const actions = useActions(onHelp);
  const search = useQuery(serviceQueries.search(asked));
  const entries = useMemo(() => {
    const pages = pageEntries(PAGES.filter((page) => !page.role || (me && may(me, page.role))));
    const here = fitting([...pages, ...actions], text);
    const found = text.trim() ? foundEntries(search.data?.items ?? []) : [];
    return text.trim() ? [...here.slice(0, 3), ...found, ...here.slice(3)] : here;
  }, [text, actions, search.data, me]);
  useEffect(() => setAt(0), [text]);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at, entries]);

  const choose = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    if (entry.run) entry.run();
    else if (entry.to) void navigate(entry.to);
  };
  const press = (event: KeyboardEvent) => {
    const last = entries.length - 1;
    if (event.key === "ArrowDown") setAt(at >= last ? 0 : at + 1);
    else if (event.key === "ArrowUp") setAt(at <= 0 ? last : at - 1);
    else if (event.key === "Enter") choose(entries[at]);
    else return;
    event.preventDefault();
  };

  return (
    <div className={classes.palette}>
      <div className={classes.ask}>
        <Search size={17} aria-hidden />
        <input
          data-autofocus
          role="combobox"
          aria-expanded
          aria-controls="palette-list"
          aria-activedescendant={entries[at] ? `palette-${at}` : undefined}
          aria-label="Find assets, jobs, runs, pages and actions"
          placeholder="Find assets, jobs, runs, pages and actions"
          value={text}
          maxLength={200}
          spellCheck={false}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={press}
        />
        {search.isFetching && <Loader size={14} />}
      </div>
      <div ref={list} id="palette-list" role="listbox" aria-label="What was found" className={classes.list}>
        {entries.map((entry, index) => (
          <div
            key={entry.id}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === at}
            className={classes.entry}
            onMouseMove={() => setAt(index)}
            onClick={() => choose(entry)}
          >
            <entry.icon size={15} aria-hidden />
            <span className={classes.title}>{entry.title}</span>
            {entry.kind !== "Page" && entry.text && <span className={classes.text}>{entry.text}</span>}
            {entry.state && <StateBadge state={entry.state} compact />}
            <span className={classes.kind}>{entry.kind}</span>
          </div>
        ))}
        {entries.length === 0 && <p className={classes.none}>{search.isFetching ? "Looking…" : `Nothing is called “${text}”`}</p>}
      </div>
      <div className={classes.foot}>
        <span>
          <kbd>↑</kbd> <kbd>↓</kbd> choose
        </span>
        <span>
          <kbd>Enter</kbd> open
        </span>
        <span>
          <kbd>Esc</kbd> close
        </span>
      </div>
    </div>
  );
}
