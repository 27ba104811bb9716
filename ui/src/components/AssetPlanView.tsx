// What a launch of assets would make: which, of which partitions, and why.
import { Skeleton } from "@mantine/core";
import type { Schema } from "@/api/client";
import { countText, partitionsText, plural } from "@/app/format";
import classes from "./AssetPlanView.module.css";

const SHOWN = 30;

export function AssetPlanView({ plan }: { plan: Schema<"AssetPlan"> | undefined }) {
  if (plan === undefined) return <Skeleton height={90} />;
  if (plan.make.length === 0)
    return (
      <p className={classes.fresh}>
        There is nothing to make: {plural(plan.fresh.length, "asset is", "assets are")} fresh.
      </p>
    );
  return (
    <div className={classes.plan} aria-live="polite">
      <table>
        <thead>
          <tr>
            <th scope="col">Made</th>
            <th scope="col">Partitions</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {plan.make.slice(0, SHOWN).map((one) => (
            <tr key={one.asset}>
              <td>{one.asset}</td>
              <td>{one.partitions === null ? "" : partitionsText(one.partitions.join(","))}</td>
              <td className="b-dim">{one.reasons.map((reason) => reason.reason).join("; ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {plan.make.length > SHOWN && <p className="b-dim">and {countText(plan.make.length - SHOWN)} more</p>}
      {plan.fresh.length > 0 && (
        <p className="b-dim">
          {plural(plan.fresh.length, "asset")} left as {plan.fresh.length === 1 ? "it is" : "they are"}: fresh
        </p>
      )}
    </div>
  );
}
