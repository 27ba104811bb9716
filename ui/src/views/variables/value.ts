/** A value as it is edited: texts as they are, all else as JSON. A text that reads like JSON keeps its quotes. */
export function textOf(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value, null, 1) ?? "";
  return valueOf(value) === value ? value : JSON.stringify(value);
}

/** What was entered: JSON if it is, else a text. */
export function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
