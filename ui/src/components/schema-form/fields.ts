// From the JSON Schema of parameters to the fields of a form, and back from what was entered to parameters. Pure.
//
// What was left as it was is not sent: the code's own default holds. Types alone are checked here; all else (ranges,
// patterns, rules of the code) the server checks, and says at which field.

export interface JsonSchema {
  type?: string | string[];
  title?: string;
  description?: string;
  format?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  examples?: unknown[];
}

export type FieldKind = "text" | "long" | "integer" | "number" | "boolean" | "choice" | "date" | "datetime" | "json";

export interface Field {
  name: string;
  kind: FieldKind;
  required: boolean;
  nullable: boolean;
  /** The values of a choice. */
  choices: unknown[];
  description: string;
  /** The default; undefined where there is none. */
  usual: unknown;
  /** What is expected, in a few words: `integer`, `list of string`. */
  expects: string;
  example: string;
}

/** What stands in the fields: texts, as they were typed. */
export type Entries = Record<string, string>;

const LONG = 120;

export function fieldsOf(schema: JsonSchema): Field[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([name, one]) => fieldOf(name, one, required.has(name), schema));
}

function fieldOf(name: string, outer: JsonSchema, required: boolean, root: JsonSchema): Field {
  const { schema, nullable } = plain(outer, root);
  const choices = schema.const !== undefined ? [schema.const] : (schema.enum ?? []);
  const example = outer.examples?.[0] ?? schema.examples?.[0];
  return {
    name,
    kind: choices.length ? "choice" : kindOf(schema),
    required,
    nullable,
    choices,
    description: outer.description ?? schema.description ?? "",
    usual: outer.default ?? (outer.default === null ? null : schema.default),
    expects: wordsFor(schema, root) + (nullable ? ", or empty" : ""),
    example: example === undefined ? "" : textOf(example),
  };
}

/** Without references, wrappings of one, and the alternative of null. */
function plain(schema: JsonSchema, root: JsonSchema, depth = 0): { schema: JsonSchema; nullable: boolean } {
  if (depth > 20) return { schema: {}, nullable: false };
  if (schema.$ref) {
    const found = root.$defs?.[schema.$ref.split("/").at(-1) ?? ""] ?? {};
    return plain(found, root, depth + 1);
  }
  const [only] = schema.allOf ?? [];
  if (only && schema.allOf?.length === 1) return plain({ ...only, default: schema.default ?? only.default }, root, depth + 1);
  const options = schema.anyOf ?? schema.oneOf;
  if (options) {
    const others = options.filter((each) => each.type !== "null");
    const nullable = others.length < options.length;
    const [one] = others;
    if (one && others.length === 1) return { ...plain(one, root, depth + 1), nullable };
    return { schema: {}, nullable };
  }
  if (Array.isArray(schema.type)) {
    const types = schema.type.filter((each) => each !== "null");
    return { schema: { ...schema, type: types.length === 1 ? types[0] : undefined }, nullable: types.length < schema.type.length };
  }
  return { schema, nullable: false };
}

function kindOf(schema: JsonSchema): FieldKind {
  switch (schema.type) {
    case "integer":
    case "number":
    case "boolean":
      return schema.type;
    case "string":
      if (schema.format === "date") return "date";
      if (schema.format === "date-time") return "datetime";
      return (schema.maxLength ?? 0) > LONG ? "long" : "text";
    default:
      return "json";
  }
}

function wordsFor(schema: JsonSchema, root: JsonSchema): string {
  if (schema.type === "array") {
    const of = schema.items ? plain(schema.items, root).schema : {};
    return `a list${of.type ? ` of ${String(of.type)}s` : ""}, as JSON`;
  }
  if (schema.type === "object") return "an object, as JSON";
  if (schema.type === "string") return schema.format === "date" ? "a date" : schema.format === "date-time" ? "a time" : "text";
  if (schema.type === "integer") return `a whole number${bounds(schema)}`;
  if (schema.type === "number") return `a number${bounds(schema)}`;
  if (schema.type === "boolean") return "yes or no";
  return "JSON";
}

function bounds({ minimum, maximum }: JsonSchema): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `, ${minimum} or more`;
  return maximum === undefined ? "" : `, ${maximum} or less`;
}

/** A value as it stands in a field. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The fields as they stand at first; `given` (the parameters of another run) goes over the defaults. */
export function entriesOf(fields: Field[], given: Record<string, unknown> = {}): Entries {
  return Object.fromEntries(fields.map((field) => [field.name, textOf(given[field.name] ?? field.usual)]));
}

export interface Entered {
  params: Record<string, unknown>;
  /** What is wrong, by field. */
  errors: Map<string, string>;
}

/** The parameters that were entered. */
export function entered(fields: Field[], entries: Entries): Entered {
  const params: Record<string, unknown> = {};
  const errors = new Map<string, string>();
  for (const field of fields) {
    const text = entries[field.name] ?? "";
    if (text === textOf(field.usual) && (field.usual !== undefined || !field.required)) continue;
    try {
      params[field.name] = valueOf(field, text);
    } catch (error) {
      errors.set(field.name, error instanceof Error ? error.message : String(error));
    }
  }
  return { params, errors };
}

function valueOf(field: Field, text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === "" && field.nullable) return null;
  if (trimmed === "" && field.kind !== "text" && field.kind !== "long") throw new Error(field.required ? "this is needed" : `${field.expects} is expected`);
  switch (field.kind) {
    case "integer":
      if (!/^[+-]?\d+$/.test(trimmed)) throw new Error("a whole number is expected");
      return Number(trimmed);
    case "number":
      if (Number.isNaN(Number(trimmed))) throw new Error("a number is expected");
      return Number(trimmed);
    case "boolean":
      return trimmed === "true";
    case "choice":
      return field.choices.find((each) => textOf(each) === text);
    case "json":
      try {
        return JSON.parse(trimmed) as unknown;
      } catch {
        throw new Error(`${field.expects} is expected`);
      }
    default:
      return text;
  }
}
