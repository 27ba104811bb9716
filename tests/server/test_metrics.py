"""`/metrics` of the API."""

from __future__ import annotations

from tests.server.conftest import Serve


def test_metrics_are_served_as_prometheus_reads_them(serve: Serve) -> None:
    client = serve()
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "# TYPE batuta_runs gauge" in answer.text
    assert client.get("/metrics").text.count("# TYPE batuta_ticks_total counter") == 1
