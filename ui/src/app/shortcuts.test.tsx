import { render } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { handle, keysOf, useShortcut } from "@/app/shortcuts";

function press(key: string, more: KeyboardEventInit = {}, target: Element = document.body) {
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...more }));
}

function Hears({ keys, run }: { keys: string; run: () => void }) {
  useShortcut(keys, "Does something", run);
  return <input aria-label="text" />;
}

describe("shortcuts", () => {
  beforeEach(() => window.addEventListener("keydown", handle));
  afterEach(() => window.removeEventListener("keydown", handle));

  it("hears one key after another", () => {
    const run = vi.fn();
    render(<Hears keys="g r" run={run} />);
    press("r");
    expect(run).not.toHaveBeenCalled();
    press("g");
    press("r");
    expect(run).toHaveBeenCalledTimes(1);
  });

  it("does not hear what is typed, but for keys with mod", () => {
    const [plain, mod] = [vi.fn(), vi.fn()];
    const { getAllByLabelText } = render(
      <>
        <Hears keys="?" run={plain} />
        <Hears keys="mod+k" run={mod} />
      </>,
    );
    const input = getAllByLabelText("text")[0] as Element;
    press("?", {}, input);
    press("k", { ctrlKey: true }, input);
    expect(plain).not.toHaveBeenCalled();
    expect(mod).toHaveBeenCalledTimes(1);
  });

  it("hears nothing of what is gone", () => {
    const run = vi.fn();
    render(<Hears keys="x" run={run} />).unmount();
    press("x");
    expect(run).not.toHaveBeenCalled();
  });

  it("names keys as they stand on a keyboard", () => expect(keysOf("mod+k")).toEqual(["Ctrl", "K"]));
});
