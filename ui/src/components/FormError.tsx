import { Alert } from "@mantine/core";
import { CircleAlert } from "lucide-react";
import { ApiError, words } from "@/api/problem";
import { capital } from "@/app/format";

interface Props {
  error: unknown;
  /** The parts that have a field of their own, which shows what is wrong with it: `["/password"]`. */
  fields?: readonly string[];
}

/** Why what a form asked for was not done; what is wrong with single fields stands beside them. */
export function FormError({ error, fields = [] }: Props) {
  if (!error) return null;
  const { what, hint, where } = words(error);
  const rest = error instanceof ApiError ? [...error.fields].filter(([pointer]) => !fields.includes(pointer)) : [];
  return (
    <Alert color="red" variant="light" icon={<CircleAlert size={16} />} role="alert">
      {capital(what)}
      {where && <div className="b-mono">{where}</div>}
      {rest.map(([pointer, detail]) => (
        <div key={pointer}>
          {pointer}: {detail}
        </div>
      ))}
      {hint && <div>{capital(hint)}</div>}
    </Alert>
  );
}
