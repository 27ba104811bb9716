import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { prefer } from "@/app/preferences";
import { DataTable, type Column } from "@/components/DataTable";
import { FilterBar } from "@/components/FilterBar";
import { useListState } from "@/components/table-state";
import { draw } from "@/test/draw";

interface Row {
  id: number;
  name: string;
}

const COLUMNS: Column<Row>[] = [
  { id: "id", header: "Run", cell: (row) => `#${row.id}`, sorts: ["-id", "id"], card: "head" },
  { id: "name", header: "Job", cell: (row) => row.name },
  { id: "more", header: "More", cell: () => "more", hidden: true },
];
const ROWS = [1, 2, 3].map((id) => ({ id, name: `job ${id}` }));
const LIST = { sort: "-id", filters: { state: [] as string[] } };

function List({ rows = ROWS, onSelect }: { rows?: Row[]; onSelect?: (keys: ReadonlySet<string>) => void }) {
  const list = useListState(LIST);
  return (
    <>
      <FilterBar list={list} search="Search runs" filters={[{ id: "state", label: "State", kind: "many", options: [{ value: "failed" }, { value: "running" }] }]} table={{ name: "t", columns: COLUMNS }} />
      <output aria-label="query">{JSON.stringify(list.query)}</output>
      <DataTable
        name="t"
        label="Runs"
        columns={COLUMNS}
        rows={rows}
        rowKey={(row) => String(row.id)}
        target={(row) => ({ to: "/runs/$run", params: { run: String(row.id) } })}
        sort={list.sort}
        onSort={list.setSort}
        onSelect={onSelect}
        empty={<p>nothing here</p>}
      />
    </>
  );
}

describe("DataTable", () => {
  it("shows rows and the columns that are not hidden", async () => {
    await draw(<List />);
    const table = screen.getByRole("table", { name: "Runs" });
    expect(within(table).getAllByRole("row")).toHaveLength(4);
    expect(within(table).queryByText("More")).toBeNull();
    expect(within(table).getByRole("columnheader", { name: "Run" })).toHaveAttribute("aria-sort", "descending");
  });

  it("puts the order into the URL, and what the server is asked for follows", async () => {
    const { user, place } = await draw(<List />);
    await user.click(screen.getByRole("button", { name: "Run" }));
    await waitFor(() => expect(place()).toBe("/?sort=id"));
    expect(screen.getByRole("status", { name: "query" })).toHaveTextContent('{"sort":"id"}');
    await user.click(screen.getByRole("button", { name: "Run" }));
    await waitFor(() => expect(place()).toBe("/"));
  });

  it("puts filters and the text into the URL, and clears them", async () => {
    const { user, place } = await draw(<List />);
    await user.click(screen.getByRole("button", { name: "State" }));
    await user.click(await screen.findByRole("menuitemcheckbox", { name: "failed" }));
    await user.click(screen.getByRole("menuitemcheckbox", { name: "running" }));
    await waitFor(() => expect(place()).toBe("/?state=failed&state=running"));
    await user.type(screen.getByRole("searchbox", { name: "Search runs" }), "night");
    await waitFor(() => expect(place()).toBe("/?state=failed&state=running&text=night"));
    await user.click(screen.getByRole("button", { name: "Clear" }));
    await waitFor(() => expect(place()).toBe("/"));
    expect(screen.getByRole("searchbox", { name: "Search runs" })).toHaveValue("");
  });

  it("hears keys: down, up, enter, space", async () => {
    const onSelect = vi.fn();
    const { user, place } = await draw(<List onSelect={onSelect} />, { route: "/$" });
    const rows = screen.getAllByRole("row").slice(1);
    rows[0]?.focus();
    await user.keyboard("j");
    await waitFor(() => expect(rows[1]).toHaveFocus());
    await user.keyboard("{ArrowDown}");
    await waitFor(() => expect(rows[2]).toHaveFocus());
    await user.keyboard(" ");
    expect([...(onSelect.mock.calls[0]?.[0] as Set<string>)]).toEqual(["3"]);
    await user.keyboard("k");
    await waitFor(() => expect(rows[1]).toHaveFocus());
    await user.keyboard("{Enter}");
    await waitFor(() => expect(place()).toBe("/runs/2"));
  });

  it("shows the columns that somebody asks for", async () => {
    const { user } = await draw(<List />);
    await user.click(screen.getByRole("button", { name: "Choose columns" }));
    await user.click(await screen.findByRole("menuitemcheckbox", { name: "More" }));
    expect(await screen.findByRole("columnheader", { name: "More" })).toBeInTheDocument();
    prefer({ columns: {} });
  });

  it("says what is empty", async () => {
    await draw(<List rows={[]} />);
    expect(screen.getByText("nothing here")).toBeInTheDocument();
  });

  it("draws a part of many rows", async () => {
    const many = Array.from({ length: 5_000 }, (_, id) => ({ id, name: "x" }));
    await draw(<List rows={many} />);
    expect(screen.getAllByRole("row").length).toBeLessThan(200);
  });

  it("is cards on a phone", async () => {
    const wide = window.matchMedia;
    window.matchMedia = (query) => ({ ...wide(query), matches: query.includes("767") });
    await draw(<List />);
    window.matchMedia = wide;
    expect(screen.queryByRole("table")).toBeNull();
    expect(screen.getAllByRole("listitem")).toHaveLength(3);
  });
});
