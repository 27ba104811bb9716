"""Copies of the fintech's example, to be built, edited and broken."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

SOURCE = Path(__file__).parents[2]
EXAMPLE = SOURCE / "examples" / "fintech"
LEFT_OUT = shutil.ignore_patterns("__pycache__", "lakehouse", "out", ".batuta")
_ENVIRONMENT = "../../.venv-dbt"
_MARTS = re.compile(r"# Gold beside the Python assets.*?\n\n(?=# How time goes by)", re.DOTALL)


def copy_fintech(to: Path, *, with_dbt: bool = True) -> None:
    """The example in another folder, with the dbt of this repository, or without its dbt project."""
    shutil.copytree(EXAMPLE, to, ignore=LEFT_OUT)
    file = to / "batuta.toml"
    text = file.read_text()
    assert _ENVIRONMENT in text
    text = text.replace(_ENVIRONMENT, str(SOURCE / ".venv-dbt")) if with_dbt else _MARTS.sub("", text)
    assert _ENVIRONMENT not in text
    file.write_text(text)
