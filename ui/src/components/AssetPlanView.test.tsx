import { render, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { AssetPlanView } from "./AssetPlanView";

it("says what would be made, of which partitions, and why", () => {
  const reasons = [{ reason: "its code changed", partitions: 3 }];
  render(<AssetPlanView plan={{ selected: [], make: [{ asset: "gold.a", partitions: ["1", "2", "3"], reasons, checks: 0 }], fresh: ["gold.b"], task_runs: 3 }} />);
  expect(screen.getByText("gold.a")).toBeVisible();
  expect(screen.getByText("3: 1 … 3")).toBeVisible();
  expect(screen.getByText("its code changed")).toBeVisible();
  expect(screen.getByText(/1 asset left as it is/)).toBeVisible();
});
