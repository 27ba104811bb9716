import { Tooltip } from "@mantine/core";
import { useConnection } from "@/api/live";
import classes from "./LiveDot.module.css";

const WORDS = { open: "Live: changes show by themselves", connecting: "Connecting", lost: "No connection: what you see may be old" };

/** Whether what is shown is kept up to date. */
export function LiveDot() {
  const connection = useConnection();
  return (
    <Tooltip label={WORDS[connection]}>
      <span className={classes.live} data-connection={connection} tabIndex={0} role="status" aria-label={WORDS[connection]} />
    </Tooltip>
  );
}
