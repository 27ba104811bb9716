import { describe, expect, it } from "vitest";
import { entered, entriesOf, fieldsOf, type JsonSchema } from "./fields";

const SCHEMA: JsonSchema = {
  type: "object",
  required: ["day", "limit"],
  properties: {
    day: { type: "string", format: "date", description: "Which day." },
    limit: { type: "integer", minimum: 1, maximum: 9 },
    rate: { type: "number", default: 0.5 },
    loud: { type: "boolean", default: false },
    mode: { $ref: "#/$defs/Mode", default: "fast" },
    note: { anyOf: [{ type: "string" }, { type: "null" }], default: null },
    names: { type: "array", items: { type: "string" }, default: ["a"] },
  },
  $defs: { Mode: { enum: ["fast", "slow"], type: "string" } },
};

const fields = fieldsOf(SCHEMA);
const entries = entriesOf(fields);

describe("fields", () => {
  it("have the kinds of the schema", () => {
    expect(fields.map((field) => [field.name, field.kind])).toEqual([
      ["day", "date"], ["limit", "integer"], ["rate", "number"], ["loud", "boolean"], ["mode", "choice"], ["note", "text"],
      ["names", "json"],
    ]);
    expect(fields.filter((field) => field.required).map((field) => field.name)).toEqual(["day", "limit"]);
    expect(fields.find((field) => field.name === "note")?.nullable).toBe(true);
    expect(fields.find((field) => field.name === "limit")?.expects).toBe("a whole number from 1 to 9");
    expect(fields.find((field) => field.name === "names")?.expects).toBe("a list of strings, as JSON");
  });

  it("begin with the defaults, and with what is given", () => {
    expect(entries).toEqual({ day: "", limit: "", rate: "0.5", loud: "false", mode: "fast", note: "", names: '["a"]' });
    expect(entriesOf(fields, { limit: 3, names: [] })).toMatchObject({ limit: "3", names: "[]", mode: "fast" });
  });
});

describe("what was entered", () => {
  it("leaves out what is as usual", () => {
    const found = entered(fields, { ...entries, day: "2026-01-31", limit: "3" });
    expect(found.params).toEqual({ day: "2026-01-31", limit: 3 });
    expect(found.errors.size).toBe(0);
  });

  it("has the types of the schema", () => {
    const all = { day: "2026-01-31", limit: "3", rate: "2", loud: "true", mode: "slow", note: "x", names: '["b", "c"]' };
    expect(entered(fields, all).params).toEqual({
      day: "2026-01-31", limit: 3, rate: 2, loud: true, mode: "slow", note: "x", names: ["b", "c"],
    });
  });

  it("says what is wrong at which field", () => {
    const { errors } = entered(fields, { ...entries, limit: "3.5", rate: "much", names: "[" });
    expect([...errors.keys()]).toEqual(["day", "limit", "rate", "names"]);
    expect(errors.get("day")).toBe("this is needed");
    expect(errors.get("names")).toBe("a list of strings, as JSON is expected");
  });

  it("may take away a default where null is allowed", () => {
    const [field] = fieldsOf({ properties: { note: { anyOf: [{ type: "string" }, { type: "null" }], default: "x" } } });
    expect(field && entered([field], { note: "" }).params).toEqual({ note: null });
  });
});
