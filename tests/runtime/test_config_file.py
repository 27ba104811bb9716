"""Every mistake in batuta.toml is told with its line, also in tables of tables, and with what may stand there."""

from __future__ import annotations

from pathlib import Path

import pytest

from batuta.core.errors import DefinitionError
from batuta.runtime.config_places import Part, line_of
from batuta.runtime.project import Config, find_project

GOOD = """
name = "shop"

[alerts]
base_url = "https://batuta.example.com"

[alerts.channels.ops]
type = "email"
url = "smtp://mail.example.com:587"
to = ["ops@example.com", "ann@example.com"]

[alerts.channels.chat]
url = "slack://{{ secret('slack') }}"
timeout_s = "5s"

[[alerts.rules]]
on = "failure"
channels = "ops"

[[alerts.rules]]
name = "gold"
on = ["check_failed", "freshness_overdue"]
layer = "gold"
channels = ["chat"]
dedupe_s = "2h"
throttle = { max = 5, per_s = "1h" }
escalate = [{ after_s = 900, channels = "ops" }]

[retention]
runs = "90d"
ticks = 86400
"""


def config_of(tmp_path: Path, text: str) -> Config:
    (tmp_path / "batuta.toml").write_text(text)
    return find_project(str(tmp_path)).config


def test_alerts_and_retention_are_read(tmp_path: Path) -> None:
    config = config_of(tmp_path, GOOD)
    assert config.alerts.channels["chat"].timeout_s == 5.0
    assert config.alerts.channels["ops"].to == ("ops@example.com", "ann@example.com")
    assert [rule.called for rule in config.alerts.rules] == ["failure", "gold"]
    assert config.alerts.rules[1].channels_all == ("chat", "ops")
    assert config.alerts.rules[1].dedupe_s == 7_200.0
    assert (config.retention.runs, config.retention.ticks) == (90 * 86_400.0, 86_400.0)


@pytest.mark.parametrize(
    ("old", "new", "line", "what", "hint"),
    [
        ('on = "failure"', 'on = "failures"', 17, "there is no trouble 'failures'", "'failure'"),
        ('channels = ["chat"]', 'channels = ["chats"]', 24, "there is no channel 'chats'", "'chat'"),
        ('layer = "gold"', 'layers = "gold"', 23, "unknown setting 'alerts.rules.layers'", "'layer'"),
        ('layer = "gold"', "layer = 3", 23, "alerts.rules[1].layer: expected `str | array`, got `int`", None),
        ('dedupe_s = "2h"', 'dedupe_s = "2 hours"', 25, "'2 hours' is not a length of time", "write seconds"),
        ('timeout_s = "5s"', "timeout_s = []", 14, "alerts.channels.chat.timeout_s: [] is not a length", "90s, 15m"),
        ('type = "email"', 'type = "mail"', 8, "there is no type of channel 'mail'", "'email'"),
        ('type = "email"', 'kind = "email"', 8, "unknown setting 'alerts.channels.ops.kind'", "settings are"),
        ('url = "smtp://', 'url = "https://', 9, "the mail server's url is not one", "smtp://user"),
        ("url = \"slack://{{ secret('slack') }}\"", "", 12, "channel 'chat' (apprise) has no 'url'", "give it url"),
        ('name = "gold"', 'name = "failure"', 21, "two rules are called 'failure'", "give each"),
        ("max = 5", "max = 0", 26, "a rule that may send nothing", "enabled"),
        ("after_s = 900", 'after = "15m"', 27, "unknown setting 'alerts.rules.escalate.after'", "'after_s'"),
        ('on = "failure"', 'on = "late"', 16, "does not say when a run is late", "start_within_s"),
        ('on = "failure"', 'on = "failure"\nquantile = 2', 18, "quantile is not between 0 and 1", "median"),
        ('on = "failure"', 'on = "failure"\nseverity = "bad"', 18, "invalid enum value 'bad'", "'critical'"),
        ('on = "failure"', 'on = "failure"\ndedupe = "jobs"', 18, "nothing is told apart by 'jobs'", "'job'"),
        ('runs = "90d"', 'runs = "ever"', 30, "'ever' is not a length of time", "write seconds"),
        ('runs = "90d"', 'run = "90d"', 30, "unknown setting 'retention.run'", "'runs'"),
    ],
)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, what: str, hint: str | None
) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(DefinitionError) as refused:
        config_of(tmp_path, GOOD.replace(old, new))
    assert what in refused.value.what
    assert refused.value.where == f"{tmp_path / 'batuta.toml'}:{line}"
    assert hint is None or hint in (refused.value.hint or "")


def test_a_mistake_in_pyproject_is_told_with_its_line_too(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n\n[tool.batuta.retention]\nruns = "soon"\n')
    with pytest.raises(DefinitionError) as refused:
        find_project(str(tmp_path))
    assert refused.value.where == f"{tmp_path / 'pyproject.toml'}:5"


TEXT = """a = 1
[b]
c.d = 2
"e.f" = 3
[[b.list]]
x = 1
[b.list.sub]
y = 2
[[b.list]]
x = 3  # [not] = a header
[other]
b = 4
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 1),
        (("b",), 2),
        (("b", "c", "d"), 3),
        (("b", "e.f"), 4),
        (("b", "list", 0, "x"), 6),
        (("b", "list", 0, "sub", "y"), 8),
        (("b", "list", 1, "x"), 10),
        (("b", "list", 1, "missing"), 9),
        (("other", "b"), 12),
        (("nowhere",), None),
    ],
)
def test_lines_of_settings(path: tuple[Part, ...], line: int | None) -> None:
    assert line_of(TEXT, path) == line


@pytest.mark.parametrize(
    ("settings", "line", "what", "hint"),
    [
        ('backends = ["environment", "stor"]', 2, "there is no backend of secrets 'stor'", "did you mean 'store'?"),
        ('backends = ["x"]', 2, "there is no backend of secrets 'x'", "environment, files, store"),
        ('key_file = "k"\nkey_command = "c"', 3, "the key is in a file, and a command prints it", "one of the two"),
    ],
)
def test_mistakes_about_secrets(tmp_path: Path, settings: str, line: int, what: str, hint: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        config_of(tmp_path, f"[secrets]\n{settings}\n")
    assert caught.value.what == what
    assert hint in (caught.value.hint or "")
    assert caught.value.where == f"{tmp_path / 'batuta.toml'}:{line}"
