"""Assets, defined in Batuta: a file of them loaded, validated, sorted and hashed, and one selection answered."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from batuta import __version__
from bench import assets_scale
from bench.harness import Settings, Subject, serve

ALL_STAGES = "all of that"


@contextmanager
def open_subject(settings: Settings) -> Iterator[Subject]:
    """See `harness.Open`."""

    def define(size: int) -> float:
        folder = Path(settings.home, f"assets_{size}_{len(list(Path(settings.home).iterdir()))}")
        folder.mkdir()
        gc.collect()
        return assets_scale.measure(size, str(folder))[ALL_STAGES]

    yield Subject({"assets": define}, {"batuta": __version__})


if __name__ == "__main__":
    serve(open_subject)
