// Some records of a log. A block is drawn once: it changes only when one of its records is marked or looked for.
import { Fragment, memo, type CSSProperties } from "react";
import { clockText, absoluteText } from "@/app/format";
import { usePreferences } from "@/app/preferences";
import { pieces, type Piece, type Style } from "./ansi";
import classes from "./LogViewer.module.css";
import type { LogLook } from "./look";
import type { Entry } from "./pages";

interface Props {
  lines: readonly Entry[];
  look: LogLook;
  find: string;
  /** The offset of the marked record, if it is one of these. */
  marked: number | null;
  onMark?: (offset: number) => void;
  /** In place of marking: show what is around the record. */
  onContext?: (offset: number) => void;
}

const SHOWN_CHARS = 20_000;
const LEVELS: Record<string, string> = {
  DEBUG: "debug",
  INFO: "info",
  OUT: "out",
  WARNING: "warning",
  ERR: "err",
  ERROR: "error",
  CRITICAL: "critical",
};

export const LogBlock = memo(
  function LogBlock({ lines, look, find, marked, onMark, onContext }: Props) {
    const { zone } = usePreferences();
    return (
      <div data-block>
        {lines.map((line) => {
          const at = Date.parse(line.at);
          return (
            <div
              key={line.offset}
              className={classes.line}
              data-offset={line.offset}
              data-level={LEVELS[line.level] ?? "info"}
              data-marked={(marked !== null && marked >= line.offset && marked < line.end) || undefined}
            >
              <button
                type="button"
                className={classes.gutter}
                title={onContext ? "Show what is around it" : `${absoluteText(at, zone)} · link to this record`}
                aria-label={onContext ? "Show what is around this record" : "Link to this record"}
                onClick={() => (onContext ?? onMark)?.(line.offset)}
              >
                {look.time ? timeText(at, zone) : "›"}
              </button>
              {look.level && <span className={classes.level}>{line.level}</span>}
              {look.source && <span className={classes.source}>{line.source}</span>}
              <span className={classes.text}>
                <Text text={line.text} find={find} />
              </span>
            </div>
          );
        })}
      </div>
    );
  },
  (a, b) =>
    a.lines === b.lines &&
    a.look === b.look &&
    a.find === b.find &&
    a.marked === b.marked &&
    !a.onContext === !b.onContext,
);

function timeText(at: number, zone: string): string {
  return `${clockText(at, zone, true)}.${String(at % 1000).padStart(3, "0")}`;
}

function Text({ text, find }: { text: string; find: string }) {
  const shown =
    text.length > SHOWN_CHARS
      ? `${text.slice(0, SHOWN_CHARS)}… (${text.length.toLocaleString("en-US")} characters)`
      : text;
  return pieces(shown).map((piece, i) => <Styled key={i} piece={piece} find={find} />);
}

function Styled({ piece, find }: { piece: Piece; find: string }) {
  const content = find === "" ? piece.text : <Found text={piece.text} find={find} />;
  if (piece.style === null) return content;
  return (
    <span style={cssOf(piece.style)} data-bold={piece.style.bold || undefined}>
      {content}
    </span>
  );
}

function cssOf(style: Style): CSSProperties {
  const color = (value: number | string | undefined) => (typeof value === "number" ? `var(--ansi-${value})` : value);
  return {
    color: color(style.fg),
    background: color(style.bg),
    opacity: style.dim ? 0.65 : undefined,
    fontWeight: style.bold ? 650 : undefined,
    fontStyle: style.italic ? "italic" : undefined,
    textDecoration:
      [style.underline && "underline", style.strike && "line-through"].filter(Boolean).join(" ") || undefined,
  };
}

function Found({ text, find }: { text: string; find: string }) {
  const low = text.toLowerCase();
  const word = find.toLowerCase();
  const parts: [string, boolean][] = [];
  let last = 0;
  for (let at = low.indexOf(word); at >= 0 && parts.length < 200; at = low.indexOf(word, last)) {
    parts.push([text.slice(last, at), false], [text.slice(at, at + word.length), true]);
    last = at + word.length;
  }
  if (last === 0) return text;
  parts.push([text.slice(last), false]);
  return parts.map(([part, hit], i) => (hit ? <mark key={i}>{part}</mark> : <Fragment key={i}>{part}</Fragment>));
}
