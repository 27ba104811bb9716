// A log as a file: what fits the filters, fetched in large ranges and put together by the browser.
import type { Entry } from "./pages";
import { plain } from "./ansi";
import { readRange, type LogFilter, type LogOf } from "./source";

const LINES = 5_000;

/** Fetch and save it. Raises what the API raises. */
export async function download(log: LogOf, filter: LogFilter, name: string): Promise<void> {
  const parts: string[] = [];
  for (let offset = 0; ;) {
    const range = await readRange(log, { ...filter, offset, limit: LINES });
    parts.push(range.lines.map(textOf).join(""));
    if (range.lines.length < LINES || range.next <= offset) break;
    offset = range.next;
  }
  const file = URL.createObjectURL(new Blob(parts, { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = file;
  link.download = `run-${log.run}-${name.replace(/[^\w.-]+/g, "_")}-${log.attempt}.log`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(file), 10_000);
}

function textOf(entry: Entry): string {
  return `${entry.at} ${entry.level} ${entry.source} | ${plain(entry.text)}\n`;
}
