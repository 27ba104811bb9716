import { Button } from "@mantine/core";
import { CircleAlert, RotateCw } from "lucide-react";
import { words } from "@/api/problem";
import { capital } from "@/app/format";
import classes from "./notices.module.css";

/** What went wrong, where, and what to do; in place of what could not be shown. */
export function ErrorView({ error, retry }: { error: unknown; retry?: () => void }) {
  const { what, hint, where } = words(error);
  return (
    <div className={`b-card ${classes.notice}`} role="alert">
      <CircleAlert size={26} className={classes.bad} aria-hidden />
      <h2>{capital(what)}</h2>
      {where && <p className="b-mono">{where}</p>}
      {hint && <p>{capital(hint)}</p>}
      {retry && (
        <Button variant="default" leftSection={<RotateCw size={14} />} onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}
