import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { Palette } from "@/app/palette/Palette";
import { draw } from "@/test/draw";

const ANSWERS = {
  "GET /api/v1/me": { name: "ada", method: "local", roles: { "*": "viewer" }, login: [] },
  "GET /api/v1/search": { items: [{ kind: "asset", id: "gold.revenue", title: "gold.revenue", text: "The sum.", location: "shop", state: "stale" }] },
};

describe("Palette", () => {
  it("offers pages, but for those that take another role", async () => {
    await draw(<Palette opened onClose={() => {}} onHelp={() => {}} />, { answers: ANSWERS });
    expect(await screen.findByRole("option", { name: /Lineage/ })).toBeInTheDocument();
    await waitFor(() => expect(screen.queryByRole("option", { name: /Audit log/ })).toBeNull());
  });

  it("finds by the API, and goes where enter says", async () => {
    const close = vi.fn();
    const { user, place, asked } = await draw(<Palette opened onClose={close} onHelp={() => {}} />, { answers: ANSWERS });
    await user.type(screen.getByRole("combobox"), "reven");
    expect(await screen.findByRole("option", { name: /gold.revenue/ })).toHaveAttribute("aria-selected", "true");
    expect(asked.filter((each) => each.url.includes("/search"))).toHaveLength(1);
    await user.keyboard("{Enter}");
    await waitFor(() => expect(place()).toBe("/assets/gold.revenue"));
    expect(close).toHaveBeenCalled();
  });

  it("does things", async () => {
    const help = vi.fn();
    const { user } = await draw(<Palette opened onClose={() => {}} onHelp={help} />, { answers: ANSWERS });
    await user.type(screen.getByRole("combobox"), "keyboard");
    await user.keyboard("{Enter}");
    expect(help).toHaveBeenCalled();
  });
});
