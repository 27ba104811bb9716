// Numbers, times and sizes in words. Pure: zone and now are arguments.

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** `850 ms`, `3.2 s`, `4 m 05 s`, `2 h 10 m`, `3 d 4 h`. */
export function durationText(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s < 0.0095) return s === 0 ? "0 s" : "<10 ms";
  if (s < 1) return `${Math.round(s * 1000)} ms`;
  if (s < 9.95) return `${s.toFixed(1)} s`;
  const whole = Math.round(s);
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} m ${pad(whole % MINUTE)} s`;
  if (whole < DAY) return `${Math.floor(whole / HOUR)} h ${pad(Math.floor((whole % HOUR) / MINUTE))} m`;
  return `${Math.floor(whole / DAY)} d ${Math.floor((whole % DAY) / HOUR)} h`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

/** `just now`, `12 s ago`, `in 5 m`, `3 d ago`. */
export function relativeText(at: number, now: number): string {
  const seconds = Math.round((now - at) / 1000);
  const far = Math.abs(seconds);
  if (far < 2) return "just now";
  const text =
    far < MINUTE ? `${far} s`
    : far < HOUR ? `${Math.floor(far / MINUTE)} m`
    : far < DAY ? `${Math.floor(far / HOUR)} h`
    : far < 60 * DAY ? `${Math.floor(far / DAY)} d`
    : far < 730 * DAY ? `${Math.floor(far / (30.4 * DAY))} mo`
    : `${Math.floor(far / (365 * DAY))} y`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string, parts: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone} ${JSON.stringify(parts)}`;
  let found = formats.get(key);
  if (!found) {
    const timeZone = zone === "local" ? undefined : zone;
    found = new Intl.DateTimeFormat("sv-SE", { timeZone, ...parts });
    formats.set(key, found);
  }
  return found;
}

/** `2026-01-31 12:00:00 GMT+1`. */
export function absoluteText(at: number, zone: string): string {
  const parts: Intl.DateTimeFormatOptions = {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
    timeZoneName: "short",
  };
  return formatOf(zone, parts).format(at);
}

/** `2026-01-31 12:00`. */
export function minuteText(at: number, zone: string): string {
  return formatOf(zone, { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" }).format(at);
}

/** `12:00`, with `seconds` `12:00:07`. */
export function clockText(at: number, zone: string, seconds = false): string {
  return formatOf(zone, { hour: "2-digit", minute: "2-digit", ...(seconds ? { second: "2-digit" } : {}) }).format(at);
}

/** `2026-01-31`. */
export function dayText(at: number, zone: string): string {
  return formatOf(zone, { year: "numeric", month: "2-digit", day: "2-digit" }).format(at);
}

/** `1,234`, `12.3k`, `4.5M` where `short`. */
export function countText(value: number, short = false): string {
  if (!short || Math.abs(value) < 10_000) return value.toLocaleString("en-US", { maximumFractionDigits: 2 });
  return Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 }).format(value);
}

/** `1.2 MB`. */
export function sizeText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `1 run`, `3 runs`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/** The partitions of a run: one or two by their names, many by how many and from where to where. */
export function partitionsText(text: string): string {
  const keys = text.split(",");
  return keys.length < 3 ? keys.join(", ") : `${countText(keys.length)}: ${keys[0]} … ${keys.at(-1)}`;
}

/** The first letter as a capital. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
