// Changes: a mutation that says what came of it and has looked at anew what it changed.
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient, type QueryKey, type UseMutationResult } from "@tanstack/react-query";
import { words, type ApiError } from "@/api/problem";

interface Act<Asked, Answer> {
  act: (asked: Asked) => Promise<Answer>;
  /** What it changes: all queries whose keys begin so. */
  changes?: readonly QueryKey[];
  /** What to say when it is done. */
  done?: string | ((answer: Answer, asked: Asked) => string);
  /** Leave it to whoever calls to show what went wrong: a form does so beside its fields. */
  quiet?: boolean;
}

export function useAct<Asked, Answer>(how: Act<Asked, Answer>): UseMutationResult<Answer, ApiError, Asked> {
  const queries = useQueryClient();
  return useMutation<Answer, ApiError, Asked>({
    mutationFn: how.act,
    onSuccess: async (answer, asked) => {
      if (how.done) {
        const message = typeof how.done === "string" ? how.done : how.done(answer, asked);
        notifications.show({ message, color: "green", role: "status" });
      }
      await Promise.all((how.changes ?? []).map((queryKey) => queries.invalidateQueries({ queryKey })));
    },
    onError: (error) => {
      if (!how.quiet) sayError(error);
    },
  });
}

/** A toast of what went wrong, and what to do. */
export function sayError(error: unknown): void {
  const { what, hint } = words(error);
  notifications.show({ title: capital(what), message: hint, color: "red", autoClose: 10_000 });
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
