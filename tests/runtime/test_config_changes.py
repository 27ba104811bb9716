"""What a change of batuta.toml means for a process that runs."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from batuta.core.errors import RequestError
from batuta.runtime.config_changes import Change, ConfigFile
from batuta.runtime.project import Config, find_project


class Watched:
    """A file, and what a process of that kind takes on of it."""

    def __init__(self, folder: Path, kind: str = "up") -> None:
        self.path = folder / "batuta.toml"
        self.write('name = "shop"\n')
        self.taken: list[Change] = []
        self.file = ConfigFile(find_project(str(folder)), kind, self._take)

    def _take(self, change: Change) -> None:
        if change.project.config.pools.get("refused"):
            raise RequestError("no such pool", hint="take it out")
        self.taken.append(change)

    def write(self, text: str) -> None:
        other = self.path.with_suffix(".new")
        other.write_text(text)
        other.replace(self.path)

    def read(self, text: str) -> Config:
        """What is in force once the file says so."""
        self.write(text)
        self.file.read()
        return self.file.project.config


def test_what_can_be_taken_on_is_and_the_rest_waits_for_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    watched = Watched(tmp_path)
    assert not watched.file.has_changed
    config = watched.read(
        'name = "shop"\npools = {api = 2}\n[server]\nport = 9\n[service]\nwatch = false\nruns_max = 7\n'
    )
    (change,) = watched.taken
    assert (change.taken, change.waiting) == (("pools", "service.runs_max"), ("server.port", "service.watch"))
    assert (config.pools, config.service.runs_max) == ({"api": 2}, 7)
    assert (config.server.port, config.service.watch) == (8421, True)
    assert "in force from now on: pools, service.runs_max" in caplog.text
    assert "in force after a restart: server.port, service.watch" in caplog.text
    assert watched.file.info() == {"error": "", "waiting": ["server.port", "service.watch"]}


def test_what_is_taken_back_waits_no_more(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.read('name = "store"\n[store]\nurl = "sqlite:///other.db"\n')
    assert watched.file.info()["waiting"] == ["name", "store.url"]
    watched.read('name = "shop"\n')
    assert watched.file.info()["waiting"] == []
    assert watched.file.project.name == "shop"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("pools = {api = [}", "not valid TOML"),
        ("[queue]\nruns_max = true\n", "queue.runs_max"),
        ("polls = {}", "pools"),
        ("pools = {refused = 1}", "no such pool"),
    ],
)
def test_a_file_that_is_wrong_changes_nothing(tmp_path: Path, text: str, why: str) -> None:
    watched = Watched(tmp_path)
    before = watched.read('name = "shop"\npools = {api = 2}\n')
    assert watched.read(text) == before
    assert why in watched.file.error
    assert watched.read('name = "shop"\npools = {api = 3}\n').pools == {"api": 3}
    assert watched.file.error == ""


def test_a_file_that_is_gone_changes_nothing(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.path.unlink()
    watched.file.read()
    assert "the configuration is gone" in watched.file.error
    assert watched.file.project.name == "shop"
    assert watched.taken == []


def test_what_means_nothing_to_a_process_is_not_told(tmp_path: Path) -> None:
    text = 'name = "shop"\n[server]\nport = 9\n[metrics]\nport = 10\n[profiles.small]\ndata = "x"\n'
    watched = Watched(tmp_path, "scheduler")
    watched.read(text)
    assert watched.file.waiting == ("metrics.port",)
    watched = Watched(tmp_path, "server")
    watched.read(text)
    assert watched.file.waiting == ("server.port",)


def test_every_setting_has_a_place(tmp_path: Path) -> None:
    """A new table has to be thought about: taken on, or fixed."""
    from batuta.runtime.config_changes import NOBODYS, OF_SCHEDULER, OF_SERVER

    taken = {"code", "layers", "data", "settings", "locations", "pools", "alerts", "queue", "retention", "glossary"}
    thought_of = {name.partition(".")[0] for name in (*OF_SERVER, *OF_SCHEDULER, *NOBODYS)} | taken
    assert thought_of == set(Config.__struct_fields__)
