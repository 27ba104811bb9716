import { Alert } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Settings2 } from "lucide-react";
import { useMe } from "@/api/access";
import { itemsOf } from "@/api/pages";
import { serviceQueries, type Process } from "@/api/service";
import classes from "./Restart.module.css";

/** Says so where batuta.toml is wrong, or has changed in what only a restart takes on. */
export function Restart() {
  const me = useMe();
  const { data } = useInfiniteQuery({ ...serviceQueries.processes(ALIVE), enabled: me !== undefined && me.method !== "none", refetchInterval: 60_000 });
  const found = differing(itemsOf(data));
  if (!found) return null;
  return (
    <Alert color={found.error ? "red" : "gray"} variant="light" className={found.error ? undefined : classes.waits} icon={<Settings2 size={16} />} mb="md" role="status" title={found.error ? "batuta.toml cannot be read" : "A restart is needed"}>
      {found.error ? <>{found.error}. What was in force goes on. </> : <>For {found.names.join(", ")} to take effect. </>}
      <Link to="/settings" className="b-link">
        Settings
      </Link>
    </Alert>
  );
}

const ALIVE = { alive: true };

/** What the configuration of processes that live differs in from what is in force; null where it does not. */
export function differing(processes: readonly Pick<Process, "waiting_for_restart" | "configuration_error">[]): { error: string; names: string[] } | null {
  const error = processes.map((each) => each.configuration_error).find(Boolean) ?? "";
  const names = [...new Set(processes.flatMap((each) => each.waiting_for_restart))].sort();
  return error || names.length ? { error, names } : null;
}
