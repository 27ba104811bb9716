"""`batuta runs artifacts`: what the task runs of a run have left to be looked at."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click
import msgspec

from batuta.cli.formats import iso, size
from batuta.cli.output import Cell, Output, output_options, table
from batuta.cli.targets import open_store, project_at
from batuta.core.errors import RequestError, nearest

if TYPE_CHECKING:
    from batuta.store.rows import ArtifactRow
    from batuta.store.store import Store

COUNT_MAX = 10_000
_BAR = 20


@click.command()
@click.argument("run_id", type=int, metavar="RUN")
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--task", metavar="TASK", help="Only those of this task run.")
@click.option("-o", "--output", metavar="FILE", help="Write the content of NAME there; `-` is standard output.")
@output_options
def artifacts(run_id: int, name: str | None, task: str | None, output: str | None, out: Output) -> None:
    """List what a run left to be looked at, or show one of it.

    \b
    Examples:
      batuta runs artifacts 42
      batuta runs artifacts 42 report
      batuta runs artifacts 42 plot --task 'draw[3]' -o plot.png
    """
    from batuta.cli.records import run_row, task_key

    if output is not None and name is None:
        raise RequestError("which one is to be written?", hint="name it: batuta runs artifacts RUN NAME -o FILE")
    with open_store() as store:
        run_row(store, run_id)
        rows = store.artifacts.page(run_id=run_id, task=_number(store, run_id, task), limit=COUNT_MAX)[::-1]
        keys = {row.no: task_key(row) for row in store.task_runs(run_id)} if rows else {}
    if name is None:
        _tell_all(rows, keys, out)
        return
    row = _named(rows, name, run_id, keys)
    home = project_at("").home
    if output is not None:
        _write(row, home, output, out)
    else:
        _tell_one(row, home, keys, out)


def _number(store: Store, run_id: int, task: str | None) -> int | None:
    if task is None:
        return None
    row = store.task_run(run_id, task)
    if row is None:
        raise RequestError(f"run {run_id} has no task run {task!r}", hint=f"`batuta runs show {run_id}` lists them")
    return row.no


def _named(rows: list[ArtifactRow], name: str, run_id: int, keys: dict[int, str]) -> ArtifactRow:
    found = [row for row in rows if row.name == name]
    if not found:
        hint = nearest(name, {row.name for row in rows}) or f"`batuta runs artifacts {run_id}` lists them"
        raise RequestError(f"run {run_id} has no artifact {name!r}", hint=hint)
    if len(found) > 1:
        tasks = ", ".join(keys.get(row.task, str(row.task)) for row in found[:5])
        raise RequestError(f"{len(found)} task runs of run {run_id} have an artifact {name!r}", hint=f"--task: {tasks}")
    return found[0]


def _tell_all(rows: list[ArtifactRow], keys: dict[int, str], out: Output) -> None:
    out.document({"artifacts": [_data(row, keys) for row in rows]})
    if not rows:
        out.note("no artifacts; a task leaves them with `batuta.artifact`")
        return
    lines: list[Any] = []
    for row in rows:
        shown = f"{row.progress:.0%}" if row.progress is not None else size(row.size)
        lines.append((Cell(row.name, bold=True), row.kind, keys.get(row.task, ""), shown, row.title))
    out.say(table(("ARTIFACT", "KIND", "TASK RUN", "SIZE", ""), lines, right=(3,)))


def _data(row: ArtifactRow, keys: dict[int, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "kind": row.kind,
        "title": row.title,
        "task": keys.get(row.task, ""),
        "attempt": row.attempt,
        "media_type": row.media_type,
        "size": row.size,
        "progress": row.progress,
        "at": iso(row.at),
    }


def _content(row: ArtifactRow, home: str) -> bytes:
    from batuta.runtime.artifact_files import content_of, read_content

    return read_content(content_of(home, row.content, row.size, f"artifact {row.name!r} of run {row.run_id}"))


def _write(row: ArtifactRow, home: str, output: str, out: Output) -> None:
    data = _content(row, home)
    if output == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    try:
        with open(output, "wb") as file:
            file.write(data)
    except OSError as error:
        raise RequestError(f"it cannot be written: {(error.strerror or str(error)).lower()}", where=output) from None
    out.document({"written": os.path.abspath(output), "size": len(data)})
    out.say(f"{output}: {size(len(data))}")


def _tell_one(row: ArtifactRow, home: str, keys: dict[int, str], out: Output) -> None:
    if row.progress is not None:
        out.document(_data(row, keys))
        full = round(row.progress * _BAR)
        out.say(f"{'#' * full}{'.' * (_BAR - full)} {row.progress:.0%}  {row.title}".rstrip())
        return
    if row.kind in ("image", "file"):
        out.document(_data(row, keys))
        out.say(f"{row.name}: {row.media_type}, {size(row.size)}")
        out.note(f"  -o FILE writes it: batuta runs artifacts {row.run_id} {row.name!r} -o FILE")
        return
    content = _content(row, home)
    if row.kind == "markdown":
        out.document({**_data(row, keys), "text": content.decode("utf-8", "replace")})
        out.say(content.decode("utf-8", "replace"))
        return
    data = msgspec.json.decode(content)
    out.document({**_data(row, keys), "data": data})
    if row.kind == "table":
        out.say(table([str(name) for name in data["columns"]], [list(map(_cell, line)) for line in data["rows"]]))
        if "rows_total" in data:
            out.note(f"  {len(data['rows']):,} of {data['rows_total']:,} rows")
    elif row.kind == "link":
        out.say(data["url"])
    else:
        out.say(msgspec.json.format(msgspec.json.encode(data.get("value")), indent=2).decode())


def _cell(value: Any) -> str:
    return "" if value is None else str(value)
