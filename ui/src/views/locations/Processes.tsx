import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Schema } from "@/api/client";
import { serviceQueries } from "@/api/service";
import { useUrlState } from "@/app/search";
import { DataTable, type Column } from "@/components/DataTable";
import { EmptyState, NothingFound } from "@/components/EmptyState";
import { FilterBar, type Filter } from "@/components/FilterBar";
import { tableOf } from "@/components/list";
import { Section } from "@/components/Page";
import { StateBadge, Tag } from "@/components/StateBadge";
import { queryOf, type ListState } from "@/components/table-state";
import { RelativeTime } from "@/components/time";

// Beside another list on the same page: names of its own in the URL.
const URL = { process: "", order: "started", kinds: [] as string[] };
const FILTERS: Filter[] = [
  { id: "kind", label: "Kind", kind: "many", options: ["up", "scheduler", "server", "worker"].map((value) => ({ value })) },
];

const COLUMNS: Column<Schema<"Process">>[] = [
  { id: "kind", header: "Process", cell: (each) => <Tag>{each.kind}</Tag>, width: "130px", card: "head" },
  { id: "alive", header: "State", cell: (each) => <StateBadge state={each.alive ? "ok" : "lost"} label={each.alive ? "Alive" : "Not heard of"} />, width: "150px", card: "head" },
  { id: "host", header: "Machine", cell: (each) => <span className="b-mono">{`${each.host} · ${each.pid}`}</span> },
  { id: "since", header: "Since", cell: (each) => <RelativeTime at={each.started_at} />, sorts: ["started", "-started"], width: "120px" },
  { id: "seen", header: "Seen", cell: (each) => <RelativeTime at={each.seen_at} />, sorts: ["-seen", "seen"], width: "120px" },
];

/** The processes of the service: schedulers, servers, workers. */
export function Processes() {
  const list = useProcessList();
  const query = useInfiniteQuery(serviceQueries.processes(list.query));
  return (
    <Section title="Processes">
      <FilterBar list={list} search="Search processes" filters={FILTERS} />
      <DataTable
        name="processes"
        label="Processes"
        columns={COLUMNS}
        {...tableOf(query)}
        rowKey={(each) => each.id}
        sort={list.sort}
        onSort={list.setSort}
        empty={
          list.filtered ? (
            <NothingFound what="processes" clear={list.clear} />
          ) : (
            <EmptyState title="No scheduler runs" command="batuta up">Without one nothing is started: neither by the clock nor from here.</EmptyState>
          )
        }
      />
    </Section>
  );
}

function useProcessList(): ListState {
  const [{ process, order, kinds }, set] = useUrlState(URL);
  return useMemo(
    () => ({
      text: process,
      sort: order,
      filters: { kind: kinds },
      filtered: process !== "" || kinds.length > 0,
      setText: (text) => set({ process: text }),
      setSort: (sort) => set({ order: sort }),
      setFilter: (_, value) => set({ kinds: [value].flat() }),
      clear: () => set({ process: "", kinds: [] }),
      query: queryOf({ text: process, sort: order, kind: kinds }),
    }),
    [process, order, kinds, set],
  );
}
