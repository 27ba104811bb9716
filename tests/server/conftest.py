"""The real application over a real store, served on loopback; a project whose jobs really ran."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import msgspec
import pytest
from argon2 import PasswordHasher
from litestar import Litestar

from batuta.core import definitions as model
from batuta.engine.workspace import Workspace
from batuta.runtime.project import Project, find_project
from batuta.server import passwords
from batuta.server.accounts import Accounts, Authenticator, OpenToLocal
from batuta.server.app import create_app, given_to_handlers
from batuta.server.backend import Backend
from batuta.server.gate import Gate
from batuta.server.serving import ServerThread, bind
from batuta.store import Store

CODE = '''
"""A small shop."""

from datetime import date

from batuta import DAG, asset, check, flow, task
from batuta.partitions import daily

DAYS = daily("2026-01-01", end="2026-01-11")


@asset(layer="bronze", partitions=DAYS, metadata={"team": "growth"})
def orders(context) -> list[int]:
    """What was *ordered*."""
    return [1, 2, 3]


@asset(layer="gold", owners=["finance@shop.example"])
def revenue(orders: dict) -> int:
    """The sum of all orders."""
    return sum(sum(day) for day in orders.values())


@check(asset=revenue, blocking=True)
def is_positive(revenue: int) -> bool:
    """More than nothing."""
    return revenue > 0


@task
def double(number: int) -> int:
    print(f"doubling {number}")
    return 2 * number


@task
def fails(why: str = "no reason") -> None:
    raise ValueError(why)


@flow
def doubling(numbers: list[int] = [1, 2, 3], day: date = date(2026, 1, 31)) -> int:
    """Doubles numbers, *one by one*."""
    return sum(future.result() for future in [double.submit(number) for number in numbers])


with DAG("nightly", tags={"team": "growth"}, description="Extracts, then loads.") as nightly:

    @task
    def extract() -> list[int]:
        print("extracting")
        return [1, 2, 3]

    @task
    def load(rows: list[int]) -> None:
        print("\\x1b[31mloading\\x1b[0m", len(rows))

    @task
    def report(rows: list[int]) -> None:
        raise ValueError("the printer is on fire")

    rows = extract()
    load(rows)
    report(rows)
'''


real_hasher = passwords._hasher


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed as ever, but not for as long as somebody who guesses them is to need."""
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: cheap)
    passwords._nobody.cache_clear()


CONFIG = """name = "shop"
code = ["shop.py"]

[glossary]
turnover = "Refunds, and what was refunded of them."

[glossary.Sales]
meaning = "What was paid, fees and all."
owner = "finance"
names = ["revenue"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a flow, a DAG that fails, and two assets."""
    root = tmp_path / "shop"
    root.mkdir()
    (root / "shop.py").write_text(CODE)
    (root / "batuta.toml").write_text(CONFIG)
    return find_project(str(root))


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store."""
    with Store.open(store_url) as opened:
        yield opened


@pytest.fixture
def workspace(project: Project, store: Store) -> Iterator[Workspace]:
    """The project opened for work in threads; its definitions are in the store."""
    project.make_home()
    with Workspace(project, "", executor="threads", store=store) as opened:
        save_definitions(store, opened.definitions)
        yield opened


def save_definitions(store: Store, definitions: model.Definitions) -> None:
    """What a scheduler does when it has loaded a location."""
    data = model.encode(definitions)
    assets = [(spec.key, msgspec.json.encode(spec)) for spec in definitions.assets]
    store.save_definitions(definitions.location, model.content_hash(data), data, assets, now=time.time())


Serve = Callable[..., httpx.Client]
_idle_apps: list[Litestar] = []


@contextmanager
def app_over(backend: Backend, accounts: Accounts | None = None) -> Iterator[Litestar]:
    """The application over a backend: one that has served another test, as making one takes a quarter of a second."""
    app = _idle_apps.pop() if _idle_apps else create_app(backend)
    app.state.update(given_to_handlers(backend, accounts=accounts))
    yield app
    _idle_apps.append(app)


@pytest.fixture
def serve(project: Project, store: Store) -> Iterator[Serve]:
    """Serves the store; gives a client of it."""
    with ExitStack() as stack:

        def start(authenticator: Authenticator | None = None) -> httpx.Client:
            accounts = authenticator if isinstance(authenticator, Accounts) else None
            app = stack.enter_context(app_over(Backend(store, project), accounts))
            gate = Gate(app, authenticator or OpenToLocal("ada"))
            thread = ServerThread(gate, bind("127.0.0.1", 0), feeds=[app.state.feed])
            thread.start()
            stack.callback(thread.stop)
            return stack.enter_context(httpx.Client(base_url=thread.url, timeout=20))

        yield start


@pytest.fixture
def api(serve: Serve, workspace: Workspace) -> httpx.Client:
    """A client of the API over the project's store."""
    return serve()
