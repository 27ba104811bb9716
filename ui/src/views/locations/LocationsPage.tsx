import { useQuery } from "@tanstack/react-query";
import { serviceQueries, type Location } from "@/api/service";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { FilterBar } from "@/components/FilterBar";
import { LocationLink } from "@/components/links";
import { Page } from "@/components/Page";
import { StateBadge } from "@/components/StateBadge";
import { locally, useListState } from "@/components/table-state";
import { RelativeTime } from "@/components/time";
import { Processes } from "./Processes";
import { stateOf } from "./state";

const LIST = { sort: "name", filters: {} };

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
  const { data, error, refetch } = useQuery(serviceQueries.locations());
  const rows = data && locally(data, list, (location) => location.name, { name: (location) => location.name, loaded: (location) => location.loaded_at });
  return (
    <Page title="Locations">
      <FilterBar list={list} search="Search locations" />
      <DataTable
        name="locations"
        label="Locations"
        columns={COLUMNS}
        rows={rows}
        error={error}
        retry={() => void refetch()}
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
      <Processes />
    </Page>
  );
}
