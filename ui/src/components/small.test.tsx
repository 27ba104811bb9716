// The components that are a few lines each.
import { screen, waitFor } from "@testing-library/react";
import { Button } from "@mantine/core";
import { describe, expect, it, vi } from "vitest";
import { prefer } from "@/app/preferences";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { EmptyState } from "@/components/EmptyState";
import { ErrorView } from "@/components/ErrorView";
import { JsonView } from "@/components/json";
import { KeyValue } from "@/components/KeyValue";
import { PermissionGate, RoleOnly } from "@/components/PermissionGate";
import { Sparkline } from "@/components/Sparkline";
import { StateBadge } from "@/components/StateBadge";
import { AbsoluteTime, Duration, RelativeTime } from "@/components/time";
import { UrlTabs } from "@/components/UrlTabs";
import { ApiError, problemOf } from "@/api/problem";
import { RUN_STATES, TASK_STATES, lookOf } from "@/design/states";
import { draw } from "@/test/draw";

const me = (roles: Record<string, string>) => ({ "GET /api/v1/me": { name: "ada", method: "session", roles, login: [] } });

describe("StateBadge", () => {
  it("has a word and an icon besides its colour", async () => {
    const { container } = await draw(<StateBadge state="upstream_failed" />);
    expect(screen.getByText("Upstream failed")).toBeInTheDocument();
    expect(container.querySelector("svg")).not.toBeNull();
  });

  it("says its word even where only the icon is seen", async () => {
    await draw(<StateBadge state="failed" compact />);
    expect(screen.getByText("Failed")).toBeInTheDocument();
  });

  it.each([...RUN_STATES, ...TASK_STATES])("knows %s", (state) => expect(lookOf(state).tone).toBeDefined());

  it("shows what it does not know by its name", () => expect(lookOf("half_done").label).toBe("half done"));
});

describe("times", () => {
  it("tell how long ago, and when exactly in the zone that was chosen", async () => {
    prefer({ zone: "UTC" });
    await draw(<RelativeTime at={new Date(Date.now() - 3 * 3_600_000).toISOString()} />);
    const time = screen.getByText("3 h ago");
    expect(time.getAttribute("title")).toContain("UTC");
    prefer({ zone: "local" });
  });

  it("follow the zone", async () => {
    prefer({ zone: "Asia/Kolkata" });
    await draw(<AbsoluteTime at="2026-01-31T12:00:00Z" show="minute" />);
    expect(screen.getByText("2026-01-31 17:30")).toBeInTheDocument();
    prefer({ zone: "local" });
  });

  it("show what is not known as a dash", async () => {
    await draw(<><RelativeTime at={null} /><Duration seconds={null} /></>);
    expect(screen.getAllByText("–")).toHaveLength(2);
  });
});

describe("JsonView", () => {
  it("folds and unfolds", async () => {
    const { user } = await draw(<JsonView value={{ a: { b: { c: "deep" } } }} />);
    expect(screen.queryByText('"deep"')).toBeNull();
    await user.click(screen.getByRole("button", { name: "Unfold b" }));
    expect(screen.getByText('"deep"')).toBeInTheDocument();
  });
});

describe("KeyValue", () => {
  it("leaves out what is not there", async () => {
    await draw(<KeyValue facts={[["Name", "a"], ["None", null], ["Not", false], ["Zero", 0]]} />);
    expect(screen.getAllByRole("term").map((each) => each.textContent)).toEqual(["Name", "Zero"]);
  });
});

describe("EmptyState", () => {
  it("has a command to copy", async () => {
    const { user } = await draw(<EmptyState title="Nothing" command="batuta up" />);
    await user.click(screen.getByRole("button", { name: "Copy command" }));
    expect(await navigator.clipboard.readText()).toBe("batuta up");
  });
});

describe("ErrorView", () => {
  it("says what, where and what to do", async () => {
    const problem = { type: "urn:batuta:problem:not-found", title: "Not found", status: 404, detail: "there is no run 7", where: "runs", hint: "see the list", errors: [] };
    const retry = vi.fn();
    const { user } = await draw(<ErrorView error={new ApiError(problem)} retry={retry} />);
    expect(screen.getByRole("alert")).toHaveTextContent("There is no run 7");
    expect(screen.getByRole("alert")).toHaveTextContent("See the list");
    await user.click(screen.getByRole("button", { name: "Try again" }));
    expect(retry).toHaveBeenCalled();
  });

  it("has words for an answer that is none of ours", () => {
    expect(problemOf("<html>", 502).message).toBe("the server answered with status 502");
  });
});

describe("PermissionGate", () => {
  it("leaves alone what one may do", async () => {
    const { queries } = await draw(<PermissionGate role="operator" location="shop"><Button>Retry</Button></PermissionGate>, { answers: me({ shop: "operator" }) });
    await waitFor(() => expect(queries.isFetching()).toBe(0));
    expect(screen.getByRole("button")).toBeEnabled();
  });

  it("turns off what one may not do, and says why", async () => {
    const { user } = await draw(<PermissionGate role="operator" location="shop"><Button>Retry</Button></PermissionGate>, { answers: me({ "*": "viewer" }) });
    await waitFor(() => expect(screen.getByRole("button")).toBeDisabled());
    await user.hover(screen.getByRole("button").parentElement as HTMLElement);
    expect(await screen.findByText("That takes the role operator at shop")).toBeInTheDocument();
  });

  it("keeps a page to a role", async () => {
    await draw(<RoleOnly role="admin"><p>secret</p></RoleOnly>, { answers: me({ "*": "editor" }) });
    expect(await screen.findByText("This takes the role admin")).toBeInTheDocument();
    expect(screen.queryByText("secret")).toBeNull();
  });
});

describe("ConfirmDialog", () => {
  it("waits for the name to be typed, acts, and closes", async () => {
    const [act, close] = [vi.fn(async () => {}), vi.fn()];
    const { user } = await draw(
      <ConfirmDialog opened onClose={close} title="Delete" confirm="Delete it" onConfirm={act} type="gold" danger>
        It is gone then.
      </ConfirmDialog>,
    );
    const button = await screen.findByRole("button", { name: "Delete it" });
    expect(button).toBeDisabled();
    await user.type(screen.getByRole("textbox"), "gold");
    await user.click(button);
    await waitFor(() => expect(close).toHaveBeenCalled());
    expect(act).toHaveBeenCalledTimes(1);
  });

  it("stays where it did not work", async () => {
    const close = vi.fn();
    const { user } = await draw(
      <ConfirmDialog opened onClose={close} title="Delete" confirm="Delete it" onConfirm={() => Promise.reject(new Error("no"))}>
        It is gone then.
      </ConfirmDialog>,
    );
    await user.click(await screen.findByRole("button", { name: "Delete it" }));
    await waitFor(() => expect(screen.getByRole("button", { name: "Delete it" })).toBeEnabled());
    expect(close).not.toHaveBeenCalled();
  });
});

describe("UrlTabs", () => {
  const tabs = ["one", "two"].map((id) => ({ id, label: id, content: () => <p>content of {id}</p> }));

  it("draws what the URL says, and changes it", async () => {
    const { user, place } = await draw(<UrlTabs label="Parts" tabs={tabs} />, { at: "/?tab=two" });
    expect(screen.getByText("content of two")).toBeInTheDocument();
    await user.click(screen.getByRole("tab", { name: "one" }));
    await waitFor(() => expect(place()).toBe("/"));
    expect(screen.getByText("content of one")).toBeInTheDocument();
  });
});

describe("Sparkline", () => {
  it("leaves gaps where there is nothing", async () => {
    const { container } = await draw(<Sparkline label="Durations" values={[1, 2, null, 3, 3]} />);
    expect(screen.getByRole("img", { name: "Durations" })).toBeInTheDocument();
    expect(container.querySelector("path")?.getAttribute("d")?.match(/M/g)).toHaveLength(2);
  });

  it("bears a single value, and none", async () => {
    await draw(<><Sparkline label="one" values={[5]} /><Sparkline label="none" values={[null]} /></>);
    expect(screen.getAllByRole("img")).toHaveLength(2);
  });
});
