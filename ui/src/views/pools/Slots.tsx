import classes from "./pools.module.css";

/** Slots of a pool: a bar, and the numbers. */
export function Slots({ used, slots }: { used: number; slots: number }) {
  const share = slots > 0 ? Math.min(1, used / slots) : 1;
  return (
    <span className={classes.slots}>
      <span className={classes.bar} aria-hidden>
        <span style={{ width: `${100 * share}%` }} data-full={share >= 1 || undefined} />
      </span>
      {slots === 0 ? "closed" : `${used} of ${slots}`}
    </span>
  );
}
