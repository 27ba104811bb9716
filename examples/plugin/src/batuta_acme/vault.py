"""A backend of variables, connections and secrets: `get` says what it knows as text, and None for what it does not."""

from __future__ import annotations

from pathlib import Path


class FolderVault:
    """A vault that is a folder with `secret/token.txt`, `connection/warehouse.txt` and the like.

    A real one would ask a service here. What it is made with stands in `[secrets.options.acme]` of batuta.toml.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def get(self, kind: str, name: str) -> str | None:
        path = self._folder / kind / f"{name}.txt"
        return path.read_text(encoding="utf-8").strip() if path.is_file() else None

    def names(self, kind: str) -> list[str]:
        """Optional: for lists, and for the hints of errors."""
        return sorted(path.stem for path in self._folder.joinpath(kind).glob("*.txt"))
