import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { draw, status } from "@/test/draw";
import { LoginPage } from "./LoginPage";

const NOBODY = { name: "", method: "none", roles: {}, login: ["password", "oidc"] };
const WRONG = { type: "urn:batuta:problem:unauthenticated", title: "Not logged in", status: 401, detail: "the name or the password is wrong", where: "", hint: "", errors: [] };

describe("LoginPage", () => {
  it("says what was wrong, and goes where somebody wanted to be once it is right", async () => {
    let tries = 0;
    const { user, place, asked } = await draw(<LoginPage />, {
      at: "/login?next=%2Fruns%3Fstate%3Dfailed",
      route: "/login",
      answers: {
        "GET /api/v1/me": NOBODY,
        "POST /api/v1/login": () => (++tries === 1 ? status(401, WRONG) : { ...NOBODY, name: "ada", method: "session", roles: { "*": "admin" } }),
      },
    });
    await user.type(await screen.findByLabelText(/Name/), "ada");
    await user.type(screen.getByLabelText(/^Password/), "wrong words");
    await user.click(screen.getByRole("button", { name: "Log in" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("The name or the password is wrong");
    await user.click(screen.getByRole("button", { name: "Log in" }));
    await waitFor(() => expect(place()).toBe("/runs?state=failed"));
    expect(asked.find((each) => each.method === "POST")?.body).toEqual({ name: "ada", password: "wrong words" });
  });

  it("leads to the provider, and back", async () => {
    await draw(<LoginPage />, { at: "/login?next=%2Fjobs", answers: { "GET /api/v1/me": NOBODY } });
    expect(await screen.findByRole("link", { name: /organisation/ })).toHaveAttribute("href", "/api/v1/login/oidc?next=%2Fjobs");
  });
});
