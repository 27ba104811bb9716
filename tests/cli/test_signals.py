"""Signals from the command line."""

from __future__ import annotations

from tests.cli.conftest import Cli


def test_signals_are_sent_and_shown(cli: Cli) -> None:
    assert "signal go sent" in cli("signals", "send", "go", "--data", '{"day": 1}').out
    assert cli("signals", "send", "go", "--data", "no json", "--json").json["name"] == "go"
    found = cli("signals", "list", "go", "--json").json["signals"]
    assert [signal["data"] for signal in found] == [{"day": 1}, "no json"]
    assert '{"day":1}' in cli("signals", "list", "go").out
    assert "no signal stop was sent" in cli("signals", "list", "stop").out
    assert "1 to 200" in cli("signals", "send", "", code=None).err
