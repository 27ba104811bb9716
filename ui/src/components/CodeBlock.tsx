// A text of code: highlighted once the highlighter is loaded, plain until then and where the language is none of ours.
import { useEffect, useRef, useState } from "react";
import { CopyButton } from "@/components/CopyButton";
import classes from "./CodeBlock.module.css";

interface Props {
  text: string;
  language?: string;
  /** The number of the first line; without it lines have no numbers. */
  first?: number;
  /** A line to scroll to and mark. */
  line?: number;
  /** Height in pixels above which it scrolls. */
  height?: number;
}

export function CodeBlock({ text, language = "", first, line, height }: Props) {
  const code = text.replace(/\n$/, "");
  const html = useHighlighted(code, language);
  const marked = useRef<HTMLSpanElement>(null);
  const lines = code.split("\n");
  const scroll = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Not scrollIntoView: that scrolls the page, too, away from what stands above the code.
    if (marked.current && scroll.current) scroll.current.scrollTop = marked.current.offsetTop - scroll.current.clientHeight / 3;
  }, [line, text]);
  return (
    <div className={classes.block}>
      <span className={classes.copy}>
        <CopyButton text={code} label="Copy code" />
      </span>
      <div ref={scroll} className={classes.scroll} style={{ maxHeight: height }} tabIndex={0} role="region" aria-label={`Code${language ? ` (${language})` : ""}`}>
        {first !== undefined && (
          <span className={classes.numbers} aria-hidden>
            {lines.map((_, at) => (
              <span key={at} ref={first + at === line ? marked : undefined} data-marked={first + at === line || undefined}>
                {first + at}
              </span>
            ))}
          </span>
        )}
        {html === undefined ? (
          <pre className={classes.code}>{code}</pre>
        ) : (
          // highlight.js escapes the text; what it adds are spans with classes.
          <pre className={classes.code} dangerouslySetInnerHTML={{ __html: html }} />
        )}
      </div>
    </div>
  );
}

function useHighlighted(code: string, language: string): string | undefined {
  const [found, setFound] = useState<{ code: string; html: string }>();
  useEffect(() => {
    if (!language) return;
    let wanted = true;
    void import("./highlight").then(({ highlighted }) => {
      const html = highlighted(code, language);
      if (wanted && html !== undefined) setFound({ code, html });
    });
    return () => {
      wanted = false;
    };
  }, [code, language]);
  return found?.code === code ? found.html : undefined;
}
