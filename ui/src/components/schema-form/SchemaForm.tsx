// The fields of a form that is made from a JSON Schema. What is entered belongs to whoever draws it (fields.ts).
import { NumberInput, Select, Switch, Textarea, TextInput } from "@mantine/core";
import { textOf, type Entries, type Field } from "./fields";
import classes from "./SchemaForm.module.css";

interface Props {
  fields: Field[];
  entries: Entries;
  /** What is wrong, by field. */
  errors: ReadonlyMap<string, string>;
  onChange: (name: string, text: string) => void;
}

export function SchemaForm({ fields, entries, errors, onChange }: Props) {
  return (
    <div className={classes.fields}>
      {fields.map((field) => (
        <Entry key={field.name} field={field} text={entries[field.name] ?? ""} error={errors.get(field.name)} onChange={(text) => onChange(field.name, text)} />
      ))}
    </div>
  );
}

function Entry({ field, text, error, onChange }: { field: Field; text: string; error?: string; onChange: (text: string) => void }) {
  const common = {
    label: <span className="b-mono">{field.name}</span>,
    description: [field.description, field.kind === "choice" ? "" : capital(field.expects)].filter(Boolean).join(" · "),
    error,
    required: field.required && field.usual === undefined,
    placeholder: field.example,
  };
  switch (field.kind) {
    case "boolean":
      return <Switch label={common.label} description={field.description} error={error} checked={text === "true"} onChange={(event) => onChange(String(event.currentTarget.checked))} />;
    case "choice":
      return <Select {...common} data={field.choices.map(textOf)} value={text || null} onChange={(value) => onChange(value ?? "")} clearable={field.nullable} searchable={field.choices.length > 12} />;
    case "integer":
      return <NumberInput {...common} value={text} onChange={(value) => onChange(String(value))} allowDecimal hideControls />;
    case "number":
      return <NumberInput {...common} value={text} onChange={(value) => onChange(String(value))} hideControls />;
    case "date":
      return <TextInput {...common} type="date" value={text} onChange={(event) => onChange(event.currentTarget.value)} />;
    case "long":
    case "json":
      return <Textarea {...common} value={text} onChange={(event) => onChange(event.currentTarget.value)} autosize minRows={1} maxRows={12} classNames={{ input: field.kind === "json" ? "b-mono" : undefined }} />;
    default:
      return <TextInput {...common} value={text} onChange={(event) => onChange(event.currentTarget.value)} placeholder={common.placeholder || (field.kind === "datetime" ? "2026-01-31T12:00:00Z" : "")} />;
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
