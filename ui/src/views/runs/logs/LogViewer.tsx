// The log of an attempt: live, of any length, in colours. It holds a few thousand records around what is read
// (pages.ts) and fetches more when an end of them comes near; the strip at the right goes to any place of the whole.
import { ActionIcon, Button, Checkbox, Menu, SegmentedControl, TextInput, Tooltip } from "@mantine/core";
import { ArrowDown, ArrowDownToLine, ArrowUp, Download, Search, Settings2, WrapText, X } from "lucide-react";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { sayError } from "@/api/act";
import { sizeText } from "@/app/format";
import { useUrlState } from "@/app/search";
import { ErrorView } from "@/components/ErrorView";
import { LogBlock } from "./LogBlock";
import classes from "./LogViewer.module.css";
import { Place } from "./Place";
import { download } from "./download";
import { countOf, hasNewer, hasOlder, lineAt } from "./pages";
import { useLogLook } from "./look";
import { findAround, findFrom, useLog, type LogFilter, type LogOf, type LogState } from "./source";

const LEVELS = [
  { value: "", label: "All" },
  { value: "info", label: "Info" },
  { value: "warning", label: "Warnings" },
  { value: "error", label: "Errors" },
];
/** `find`: what is looked for; `only`: whether nothing else is shown; `line`: the record that a link is to. */
const URL_STATE = { level: "", find: "", only: "", line: "" };
const NEAR_PX = 1_500;
const BOTTOM_PX = 24;
const TYPING_MS = 300;

export function LogViewer({ run, no, attempt, name }: LogOf & { name: string }) {
  const [url, setUrl] = useUrlState(URL_STATE);
  const level = (url.level || undefined) as LogFilter["level"];
  const only = url.only !== "" && url.find !== "";
  const marked = url.line === "" ? null : Number(url.line);
  const log = useLog({ run, no, attempt }, { level, text: only ? url.find : undefined }, marked);
  const [look, setLook] = useLogLook();
  const scroller = useRef<HTMLDivElement>(null);
  const { jumpTo } = useScrolling(scroller, log, marked);
  const { pages } = log;

  const show = (offset: number) => {
    setUrl({ line: String(offset) });
    if (lineAt(pages, offset) === undefined) log.open(offset);
    else jumpTo(offset);
  };
  const step = async (forward: boolean, text = url.find) => {
    const from = marked ?? (forward ? pages.start : pages.end);
    const here = lineAt(pages, from);
    const find = (offset: number) => findFrom({ run, no, attempt }, { level, text }, offset, forward);
    try {
      const begin = forward && marked !== null ? (here?.end ?? from + 1) : from;
      const { found, again } = await findAround(find, begin, forward ? 0 : pages.size);
      if (found === null) return setMissed("No match");
      if (again) setMissed(forward ? "From the top again" : "From the end again");
      show(found.offset);
    } catch (error) {
      sayError(error);
    }
  };
  const [missed, setMissed] = useState("");
  useEffect(() => {
    if (missed === "") return;
    const timer = setTimeout(() => setMissed(""), 2_500);
    return () => clearTimeout(timer);
  }, [missed]);

  return (
    <div className={classes.viewer}>
      <div className={classes.bar} role="toolbar" aria-label="Log">
        <Find
          key={`${run} ${no}`}
          value={url.find}
          onChange={(find) => setUrl({ find })}
          onStep={(forward, text) => void step(forward, text)}
        />
        {url.find !== "" && (
          <>
            <Tooltip label="Previous match">
              <ActionIcon aria-label="Previous match" onClick={() => void step(false)}>
                <ArrowUp size={15} />
              </ActionIcon>
            </Tooltip>
            <Tooltip label="Next match (Enter)">
              <ActionIcon aria-label="Next match" onClick={() => void step(true)}>
                <ArrowDown size={15} />
              </ActionIcon>
            </Tooltip>
            <Checkbox
              size="xs"
              label="Only matches"
              checked={only}
              onChange={(event) => setUrl({ only: event.currentTarget.checked ? "1" : "", line: "" })}
            />
          </>
        )}
        <SegmentedControl
          aria-label="Levels"
          size="xs"
          data={LEVELS}
          value={url.level}
          onChange={(value) => setUrl({ level: value, line: "" })}
        />
        <span className={classes.space} />
        <span className={classes.size} role="status">
          {missed || (pages.size > 0 ? sizeText(pages.size) : "")}
        </span>
        <Tooltip label="Wrap lines">
          <ActionIcon
            aria-label="Wrap lines"
            aria-pressed={look.wrap}
            variant={look.wrap ? "light" : "subtle"}
            onClick={() => setLook({ wrap: !look.wrap })}
          >
            <WrapText size={15} />
          </ActionIcon>
        </Tooltip>
        <Columns look={look} setLook={setLook} />
        <Tooltip label={level || only ? "Download what is shown" : "Download"}>
          <ActionIcon
            aria-label="Download"
            onClick={() =>
              void download({ run, no, attempt }, { level, text: only ? url.find : undefined }, name).catch(sayError)
            }
          >
            <Download size={15} />
          </ActionIcon>
        </Tooltip>
        <Button
          variant={log.following && marked === null ? "light" : "default"}
          leftSection={<ArrowDownToLine size={14} />}
          onClick={() => {
            setUrl({ line: "" });
            if (log.following) jumpTo(null);
            else log.follow();
          }}
        >
          {pages.finished ? "End" : "Follow"}
        </Button>
      </div>
      <div className={classes.body}>
        <div
          ref={scroller}
          className={classes.scroller}
          data-wrap={look.wrap || undefined}
          tabIndex={0}
          role="log"
          aria-label={`Log of ${name}`}
          aria-live="off"
          aria-busy={log.loading}
        >
          {log.error !== null && countOf(pages) === 0 ? <ErrorView error={log.error} retry={log.follow} /> : null}
          {hasOlder(pages) && <div className={classes.edge}>…</div>}
          {pages.blocks.map((block) => (
            <LogBlock
              key={block.key}
              lines={block.lines}
              look={look}
              find={url.find}
              marked={markedIn(block, marked)}
              onMark={only ? undefined : mark}
              onContext={only ? context : undefined}
            />
          ))}
          {countOf(pages) === 0 && !log.loading && log.error === null && (
            <p className={classes.none}>
              {level || only ? "No record fits." : pages.finished ? "It said nothing." : "Nothing has been said yet."}
            </p>
          )}
          {hasNewer(pages) && <div className={classes.edge}>…</div>}
        </div>
        <Place pages={pages} onGo={(offset) => (setUrl({ line: "" }), log.open(offset))} />
      </div>
    </div>
  );

  function mark(offset: number) {
    setUrl({ line: String(offset) === url.line ? "" : String(offset) });
  }
  function context(offset: number) {
    setUrl({ only: "", line: String(offset) });
  }
}

function markedIn(block: { lines: readonly { offset: number; end: number }[] }, marked: number | null): number | null {
  if (marked === null) return null;
  return marked >= block.lines[0]!.offset && marked < block.lines.at(-1)!.end ? marked : null;
}

/** Scrolling: to the end while following, to the record of a link, and with what is read in place when more comes. */
function useScrolling(scroller: React.RefObject<HTMLDivElement | null>, log: LogState, marked: number | null) {
  const atEnd = useRef(true);
  const anchor = useRef<{ element: Element; top: number } | null>(null);
  const target = useRef<number | null>(marked);
  const latest = useRef(log);
  useLayoutEffect(() => {
    latest.current = log;
  });

  const jumpTo = useCallback(
    (offset: number | null) => {
      const element = scroller.current;
      if (element === null) return;
      if (offset === null) element.scrollTop = element.scrollHeight;
      else element.querySelector(`[data-offset="${offset}"]`)?.scrollIntoView({ block: "center" });
    },
    [scroller],
  );

  useLayoutEffect(() => {
    const element = scroller.current!;
    const place = target.current;
    if (place !== null && lineAt(log.pages, place) !== undefined) {
      target.current = null;
      atEnd.current = false;
      jumpTo(lineAt(log.pages, place)!.offset);
    } else if (log.following && atEnd.current) element.scrollTop = element.scrollHeight;
    else if (anchor.current?.element.isConnected) {
      element.scrollTop += anchor.current.element.getBoundingClientRect().top - anchor.current.top;
    }
    remember(element, anchor);
  }, [log.pages, log.following, jumpTo, scroller]);

  useEffect(() => {
    target.current = marked;
    const found = marked === null ? undefined : lineAt(latest.current.pages, marked);
    if (found !== undefined && !inSight(scroller.current!, found.offset)) jumpTo(found.offset);
    if (found !== undefined) target.current = null;
  }, [marked, jumpTo, scroller]);

  useEffect(() => {
    const element = scroller.current!;
    const look = () => {
      const below = element.scrollHeight - element.scrollTop - element.clientHeight;
      atEnd.current = below < BOTTOM_PX;
      remember(element, anchor);
      if (element.scrollTop < NEAR_PX) latest.current.older();
      if (below < NEAR_PX) latest.current.newer();
    };
    element.addEventListener("scroll", look, { passive: true });
    return () => element.removeEventListener("scroll", look);
  }, [scroller]);
  // What was fetched may not reach beyond what is seen.
  useEffect(() => {
    const element = scroller.current!;
    const short = element.scrollHeight < element.clientHeight + NEAR_PX;
    if (!log.loading && short && hasOlder(log.pages)) log.older();
    else if (!log.loading && short && hasNewer(log.pages)) log.newer();
  }, [log, scroller]);
  return { jumpTo };
}

function inSight(scroller: HTMLElement, offset: number): boolean {
  const line = scroller.querySelector(`[data-offset="${offset}"]`)?.getBoundingClientRect();
  const box = scroller.getBoundingClientRect();
  return line !== undefined && line.top >= box.top && line.bottom <= box.bottom;
}

/** The first record in sight: it stays where it is when records come above it. */
function remember(scroller: HTMLElement, anchor: { current: { element: Element; top: number } | null }): void {
  const top = scroller.getBoundingClientRect().top;
  for (const block of scroller.querySelectorAll("[data-block]")) {
    if (block.getBoundingClientRect().bottom <= top) continue;
    for (const line of block.children) {
      const box = line.getBoundingClientRect();
      if (box.bottom <= top) continue;
      anchor.current = { element: line, top: box.top };
      return;
    }
  }
  anchor.current = null;
}

function Find({
  value,
  onChange,
  onStep,
}: {
  value: string;
  onChange(text: string): void;
  onStep(forward: boolean, text: string): void;
}) {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => setText(value), [value]);
  const change = (next: string) => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(next), TYPING_MS);
  };
  return (
    <TextInput
      className={classes.find}
      aria-label="Find in the log"
      placeholder="Find"
      value={text}
      onChange={(event) => change(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Escape") change("");
        if (event.key !== "Enter") return;
        clearTimeout(timer.current);
        if (text !== value) onChange(text);
        if (text !== "") onStep(!event.shiftKey, text);
      }}
      leftSection={<Search size={14} />}
      rightSection={
        text === "" ? null : (
          <ActionIcon size={18} aria-label="Clear" onClick={() => change("")}>
            <X size={13} />
          </ActionIcon>
        )
      }
    />
  );
}

function Columns({
  look,
  setLook,
}: {
  look: ReturnType<typeof useLogLook>[0];
  setLook: ReturnType<typeof useLogLook>[1];
}) {
  return (
    <Menu position="bottom-end" closeOnItemClick={false}>
      <Menu.Target>
        <ActionIcon aria-label="What is shown of a record">
          <Settings2 size={15} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {(["time", "level", "source"] as const).map((part) => (
          <Menu.Item
            key={part}
            role="menuitemcheckbox"
            aria-checked={look[part]}
            onClick={() => setLook({ [part]: !look[part] })}
            leftSection={<Checkbox size="xs" checked={look[part]} readOnly tabIndex={-1} aria-hidden="true" />}
          >
            {{ time: "Time", level: "Level", source: "Logger" }[part]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
