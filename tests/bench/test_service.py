"""The bench of the service runs, at tiny sizes: every figure is there, and above nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.service import COLD, TINY, Figure, PeerBench, main, table
from bench.service_peers import NotReady, Running, Service, served


def test_every_figure_at_tiny_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "figures.json"
    assert main(["--tiny", "--patience", "0", "--store", "sqlite", "--json", str(path)]) == 0
    figures = {figure["name"]: figure["value"] for figure in json.loads(path.read_text())["figures"]}
    assert len(figures) == 14
    assert all(value > 0 for name, value in figures.items() if name != "idle CPU")
    shown = capsys.readouterr().out
    assert all(name in shown for name in figures)


def test_a_figure_that_one_store_lacks_is_a_dash() -> None:
    on = {"processor": "one", "cores": "2", "python": "3", "batuta": "0"}
    figures = [Figure("a", "ms", "sqlite", 3.0, 50.0), Figure("b", "s", "postgresql", 12.34)]
    assert table(figures, on, 1.0).rows == [
        ["", "sqlite", "postgresql", "goal"],
        ["a, ms", "3.00", "-", "50"],
        ["b, s", "-", "12.3", "-"],
    ]


SERVER = """
import sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

class Runs(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer()

    def do_POST(self):
        with open("trace", "a") as trace:
            trace.write(f"{urlsplit(self.path).query} {time.time()!r}\\n")
        self.answer()

    def answer(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

HTTPServer(("127.0.0.1", int(sys.argv[1])), Runs).serve_forever()
"""


def open_own(running: Running) -> Callable[[str], object]:
    (running.home / "server.py").write_text(SERVER)
    running.start(Path(sys.executable).name, "server.py", str(running.port))
    running.wait(lambda: running.ask("/"), "its server")
    return lambda name: running.ask(f"/run?{name}", {})


OWN = Service("Own", "pytest", "DAG", "a server of the test", lambda home, port: {}, open_own)


def test_a_peer_is_measured_as_we_are() -> None:
    bench = PeerBench(OWN, sys.executable, TINY, lambda text: None)
    bench.measure(())
    assert {figure.store for figure in bench.figures} == {f"Own {pytest.__version__}"}
    assert len(bench.figures) == 5
    assert all(figure.value > 0 for figure in bench.figures if "CPU" not in figure.name)
    only = PeerBench(OWN, sys.executable, TINY, lambda text: None)
    only.measure(["cold"])
    assert [figure.name for figure in only.figures] == [COLD]


def test_a_peer_is_ended_with_the_block_and_what_it_refuses_is_told(tmp_path: Path) -> None:
    with served(OWN, sys.executable, tmp_path) as (running, _):
        (process,) = running.started
        assert process.poll() is None
    assert process.poll() is not None
    with pytest.raises(NotReady, match="refused"):
        running.ask("/")
