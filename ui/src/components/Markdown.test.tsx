import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { dedent, Markdown } from "@/components/Markdown";
import { draw } from "@/test/draw";

const NASTY = `# Title

<script>alert(1)</script> <img src=x onerror=alert(1)> <svg onload=alert(1)>

[a](javascript:alert(1)) [b](data:text/html,x) [c](https://good.example) [d](//evil.example) [e](/runs) [f]( JaVaScRiPt:alert(1))

![p](https://tracker.example/x.png)

| a | b |
| --- | --- |
| 1 | 2 |
`;

describe("Markdown", () => {
  it("lets no HTML and no bad link through", async () => {
    const { container } = await draw(<Markdown text={NASTY} />);
    await waitFor(() => expect(screen.getByRole("heading", { name: "Title" })).toBeInTheDocument());
    expect(container.querySelector("script, img, svg, [onerror], [onload]")).toBeNull();
    const links = [...container.querySelectorAll("a")].map((a) => a.getAttribute("href"));
    expect(links).toEqual(["https://good.example", "/runs", "https://tracker.example/x.png"]);
    expect(screen.getByRole("link", { name: "c" })).toHaveAttribute("rel", "noreferrer noopener");
    expect(screen.getByRole("table")).toBeInTheDocument();
  });

  it("takes the indentation of docstrings away", () => {
    expect(dedent("First.\n\n    Second:\n        code\n    ")).toBe("First.\n\nSecond:\n    code\n");
  });

  it("shows code as code", async () => {
    const { container } = await draw(<Markdown text={"```python\nprint('<b>')\n```"} />);
    await waitFor(() => expect(container.querySelector(".hljs-string")).not.toBeNull());
    expect(container.querySelector("b")).toBeNull();
    expect(screen.getByRole("region", { name: "Code (python)" })).toHaveTextContent("print('<b>')");
  });
});
