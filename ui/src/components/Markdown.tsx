// Text of users as Markdown: descriptions, docstrings, markdown metadata. No HTML in it is let through, and no link
// but to http, https, mail and places of this page. The renderer is loaded when the first text is shown.
import { lazy, Suspense } from "react";
import classes from "./Markdown.module.css";

const Rendered = lazy(() => import("./markdown-rendered"));

export function Markdown({ text }: { text: string }) {
  if (!text.trim()) return null;
  return (
    <div className={classes.markdown}>
      <Suspense fallback={<p className={classes.plain}>{text}</p>}>
        <Rendered text={dedent(text)} />
      </Suspense>
    </div>
  );
}

/** A docstring without the indentation that its lines but the first have in common. */
export function dedent(text: string): string {
  const [first = "", ...rest] = text.replaceAll("\t", "    ").split("\n");
  const indents = rest.filter((line) => line.trim()).map((line) => line.length - line.trimStart().length);
  const common = indents.length ? Math.min(...indents) : 0;
  return [first.trimStart(), ...rest.map((line) => line.slice(common))].join("\n");
}
