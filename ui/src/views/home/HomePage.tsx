// What somebody wants to see first: what failed, what runs, what is late, what comes next, and whether all is well.
import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { serviceQueries, type Home } from "@/api/service";
import { ErrorView } from "@/components/ErrorView";
import { Page } from "@/components/Page";
import classes from "./home.module.css";
import { Assets, Attention, Health, Next, Running } from "./parts";
import { Tiles } from "./Tiles";
import { TimelineView } from "./TimelineView";

/** Something that everything depends on is not well: it comes first. */
function isIll(home: Home): boolean {
  return [...home.health.map((each) => each.ok), ...home.locations.map((each) => !each.error && !each.problems), ...home.processes.map((each) => each.alive)].includes(false);
}

export function HomePage() {
  const { data: home, error, refetch } = useQuery(serviceQueries.home());
  if (error && !home) return <ErrorView error={error} retry={() => void refetch()} />;
  return (
    <Page title="Home">
      {home ? (
        <>
          <Tiles home={home} />
          <TimelineView running={home.running} />
          <div className={classes.columns}>
            <div>
              <Attention home={home} />
              <Running home={home} />
            </div>
            <div>
              {isIll(home) && <Health home={home} />}
              <Next home={home} />
              <Assets home={home} />
              {!isIll(home) && <Health home={home} />}
            </div>
          </div>
        </>
      ) : (
        <Skeleton height={320} radius="md" />
      )}
    </Page>
  );
}
