// Why a request was not carried out, as an error: the API's problem+json, or that nobody answered.
import type { components } from "@/api/schema";

export type Problem = components["schemas"]["Problem"];

export class ApiError extends Error {
  readonly status: number;
  readonly kind: string;
  readonly where: string;
  readonly hint: string;
  /** What is wrong with single parts of the request, by JSON pointer: `/params/day`. */
  readonly fields: ReadonlyMap<string, string>;

  constructor(problem: Problem) {
    super(problem.detail || problem.title);
    this.name = "ApiError";
    this.status = problem.status;
    this.kind = problem.type.split(":").at(-1) ?? "";
    this.where = problem.where;
    this.hint = problem.hint;
    this.fields = new Map(problem.errors.map((each) => [each.pointer, each.detail]));
  }

  /** Nobody answered: the server is stopped, or the network is. */
  get offline(): boolean {
    return this.status === 0;
  }
}

const KIND = "urn:batuta:problem:";

export function offline(): ApiError {
  return new ApiError({
    type: `${KIND}offline`,
    title: "No answer",
    status: 0,
    detail: "the server does not answer",
    where: "",
    hint: "is `batuta up` running?",
    errors: [],
  });
}

/** What an answer that is not ok says; of one that says nothing in our words (a proxy's), its status. */
export function problemOf(said: unknown, status: number): ApiError {
  if (typeof said === "object" && said !== null && "detail" in said && "errors" in said) {
    return new ApiError(said as Problem);
  }
  return new ApiError({
    type: `${KIND}unknown`,
    title: `Status ${status}`,
    status,
    detail: `the server answered with status ${status}`,
    where: "",
    hint: "",
    errors: [],
  });
}

/** Any error in words: what is wrong, and what to do. */
export function words(error: unknown): { what: string; hint: string; where: string } {
  if (error instanceof ApiError) return { what: error.message, hint: error.hint, where: error.where };
  if (error instanceof Error) return { what: error.message, hint: "", where: "" };
  return { what: String(error), hint: "", where: "" };
}
