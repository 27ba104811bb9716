// The door to the API: everything the UI asks goes through `call`, which gives the answer or throws an ApiError.
// Types come from docs/openapi.json (scripts/api.mjs). The server refuses changes from pages of other origins by
// headers that browsers set themselves, so there is no CSRF token to send.
import createClient from "openapi-fetch";
import { offline, problemOf } from "@/api/problem";
import type { components, paths } from "@/api/schema";

export type Schemas = components["schemas"];
export type Schema<Name extends keyof Schemas> = Schemas[Name];

export const client = createClient<paths>({
  baseUrl: window.location.origin,
  fetch: (request) => globalThis.fetch(request),
});

interface Answer<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

type Listener = (status: number) => void;
const listeners = new Set<Listener>();

/** Be told the status of every answer; 0 where there was none. */
export function onAnswer(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What the API answers. Throws ApiError. */
export async function call<Data>(asked: Promise<Answer<Data>>): Promise<Data> {
  let answer: Answer<Data>;
  try {
    answer = await asked;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    for (const listener of listeners) listener(0);
    throw offline();
  }
  for (const listener of listeners) listener(answer.response.status);
  if (!answer.response.ok) throw problemOf(answer.error, answer.response.status);
  return answer.data as Data;
}

/** A key for what may be asked twice and must happen once (`Idempotency-Key`); works without a secure context, too. */
export function idempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
