import { useInfiniteQuery } from "@tanstack/react-query";
import { serviceQueries, type Location } from "@/api/service";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { FilterBar, type Filter } from "@/components/FilterBar";
import { LocationLink } from "@/components/links";
import { tableOf } from "@/components/list";
import { Page } from "@/components/Page";
import { StateBadge } from "@/components/StateBadge";
import { useListState } from "@/components/table-state";
import { RelativeTime } from "@/components/time";
import classes from "./locations.module.css";
import { Processes } from "./Processes";
import { stateOf } from "./state";

const LIST = { sort: "name", filters: { failing: "" } };
const FILTERS: Filter[] = [{ id: "failing", label: "With errors", kind: "toggle" }];

const COLUMNS: Column<Location>[] = [
  { id: "name", header: "Location", cell: (location) => <LocationLink location={location.name} />, sorts: ["name", "-name"], width: "22%", card: "head" },
  { id: "state", header: "State", cell: (location) => <StateBadge {...stateOf(location)} />, width: "160px", card: "head" },
  { id: "jobs", header: "Jobs", cell: (location) => location.jobs, width: "80px", align: "right" },
  { id: "assets", header: "Assets", cell: (location) => location.assets, width: "80px", align: "right" },
  { id: "code", header: "Code", cell: (location) => <span className="b-mono">{location.code.join(", ")}</span> },
  { id: "loaded", header: "Loaded", cell: (location) => <RelativeTime at={location.loaded_at} />, sorts: ["-loaded", "loaded"], width: "110px" },
];

export function LocationsPage() {
  const list = useListState(LIST);
  const query = useInfiniteQuery(serviceQueries.locationList(list.query));
  return (
    <Page title="Locations">
      <FilterBar list={list} search="Search locations" filters={FILTERS} table={{ name: "locations", columns: COLUMNS }} />
      <DataTable
        name="locations"
        label="Locations"
        columns={COLUMNS}
        {...tableOf(query)}
        rowKey={(location) => location.name}
        target={(location) => ({ to: "/locations/$location", params: { location: location.name } })}
        sort={list.sort}
        onSort={list.setSort}
        empty={
          list.filtered ? (
            <NothingFound what="locations" clear={list.clear} />
          ) : (
            <EmptyState title="No code is loaded" command="batuta init">
              batuta.toml says where the code is: code = [&quot;pipelines&quot;].
            </EmptyState>
          )
        }
      />
      <div className={classes.processes}>
        <Processes />
      </div>
    </Page>
  );
}
