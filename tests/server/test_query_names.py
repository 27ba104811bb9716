"""A query parameter that an operation does not know is refused, and the nearest one named."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from batuta.server.describe import document


@pytest.mark.parametrize(
    ("path", "name", "hint"),
    [
        ("runs", "states", "'state'"),
        ("runs", "jobb", "'job'"),
        ("runs", "zzzzzz", "there are backfill, cursor, environment, job"),
        ("jobs/nightly/grid", "limits", "'limit'"),
        ("settings", "a", "there are none"),
        ("events", "runs", "'run'"),
    ],
)
def test_an_unknown_one_is_refused(api: httpx.Client, path: str, name: str, hint: str) -> None:
    answer = api.get(f"/api/v1/{path}", params={name: "x"})
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert told["detail"] == f"there is no query parameter {name!r} here"
    assert told["errors"][0]["pointer"] == f"query.{name}"
    assert hint in told["hint"]


def test_what_changes_things_has_none(api: httpx.Client) -> None:
    assert api.post("/api/v1/runs", params={"job": "nightly"}, json={"job": "nightly"}).status_code == 400
    assert api.get("/api/v1/runs").json()["items"] == []


def test_every_described_one_is_known(api: httpx.Client) -> None:
    """What is described and what is known come from the same signatures by different ways."""
    described: dict[str, Any] = msgspec.json.decode(document())
    for path, item in described["paths"].items():
        names = [one["name"] for one in item.get("get", {}).get("parameters", ()) if one["in"] == "query"]
        if "{" in path or not names or path.startswith("/api/v1/login"):
            continue
        told = api.get(path, params={**dict.fromkeys(names, "\u2007"), "zzzzzz": "1"}).json()
        assert [one["pointer"] for one in told["errors"]] == ["query.zzzzzz"], path


def test_what_others_send_with_names_of_their_own_is_taken(api: httpx.Client) -> None:
    assert api.post("/api/v1/webhooks/nope", params={"their": "own"}, content=b"{}").status_code in (401, 404)
    answer = api.get("/api/v1/login/oidc/callback", params={"code": "c", "state": "s", "session_state": "t"})
    assert "one cannot log in elsewhere" in answer.json()["detail"]
    assert api.get("/health", params={"probe": "1"}).status_code == 200
