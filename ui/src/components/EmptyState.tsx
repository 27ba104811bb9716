import { CopyButton } from "@/components/CopyButton";
import { Inbox, SearchX, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "@mantine/core";
import classes from "./notices.module.css";

interface Props {
  icon?: LucideIcon;
  title: string;
  /** What this is for, and what to do next. */
  children?: ReactNode;
  /** A command that is the next step. */
  command?: string;
  action?: ReactNode;
}

/** In place of nothing: what would stand here, and the next step towards it. */
export function EmptyState({ icon: Icon = Inbox, title, children, command, action }: Props) {
  return (
    <div className={`b-card ${classes.notice}`}>
      <Icon size={26} strokeWidth={1.6} className={classes.icon} aria-hidden />
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {command && <Command text={command} />}
      {action}
    </div>
  );
}

/** Nothing is left by the filters that are set. */
export function NothingFound({ what, clear }: { what: string; clear: () => void }) {
  return (
    <EmptyState
      icon={SearchX}
      title={`No ${what} match`}
      action={
        <Button variant="default" onClick={clear}>
          Clear filters
        </Button>
      }
    />
  );
}

/** A command to be copied into a terminal. */
export function Command({ text }: { text: string }) {
  return (
    <div className={classes.command}>
      <code tabIndex={0}>{text}</code>
      <CopyButton text={text} label="Copy command" />
    </div>
  );
}
