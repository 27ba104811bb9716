"""Recorded values as the API shows them."""

from __future__ import annotations

from typing import Annotated as A
from typing import Any, Literal

from batuta.server.shapes.base import Shape, doc

Kept = Literal["data", "large", "pickled", "encrypted", "elsewhere", "nowhere", "text"]
Source = Literal["parameter", "argument", "upstream", "item", "output", "state"]


class ShownValue(Shape):
    """A recorded value, as far as it may be shown. Nothing is ever unpickled for it."""

    name: A[str, doc("The parameter, or the task run that it comes from; empty of an output.", "rows")]
    source: A[
        Source,
        doc(
            "What it is: a parameter of the run, an argument of a flow's call, the output of an upstream task run, an "
            "item of what is mapped over, the output, or what a task run that is not over remembers."
        ),
    ]
    task: A[int | None, doc("The number of the task run that it comes from.", 3)]
    kept: A[
        Kept,
        doc(
            "How it is recorded: as data, as data too large to be shown, pickled, encrypted (there are secrets in it), "
            "in storage elsewhere, not any more, or by this text alone."
        ),
    ]
    preview: A[str, doc("A short text of it.", "[1, 2, 3]")]
    size: A[int, doc("Bytes.", 120)]
    length: A[int | None, doc("Items of a list, tuple or dict.", 3)]
    data: A[Any, doc("The value as JSON, where it is data that can be shown; else null.", [1, 2, 3])]
    whole: A[bool, doc("Whether `data` is all of it: long texts and lists are cut.")]


class TaskValues(Shape):
    """What a task run was given, and what it gave."""

    inputs: A[list[ShownValue], doc("What it was given, as far as it is recorded.")]
    more: A[int, doc("How many inputs are left out.", 0)]
    output: A[ShownValue | None, doc("What it returned; of one that is not over, what it remembers.")]
