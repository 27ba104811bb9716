"""Secrets in steps: looked up through the engine, masked in all that is recorded, encrypted where values hold them.

The test that counts looks for them, in every form that is promised, in every file of the home and every row of every
table.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from batuta import Connection, Secret, Variable
from batuta.core.errors import RequestError
from batuta.core.states import RunState
from batuta.engine.workspace import RunHandle, Workspace
from batuta.runtime.log_read import read
from batuta.runtime.masking import forget_secrets, mask
from batuta.runtime.project import find_project
from batuta.runtime.vault import keys_of
from batuta.store import Store
from batuta.store.encryption import KEY_VARIABLE, new_key
from tests.engine.conftest import value_of
from tests.engine.projects import error_of, why

TOKEN = "s3cr3t/töken+word"
PASSWORD = "pa:ss@w0rd-of-db"
API_KEY = "apikey-0123456789"
EXECUTORS = ("processes", "threads")


@pytest.fixture(autouse=True)
def no_secrets() -> Iterator[None]:
    forget_secrets()
    yield
    forget_secrets()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose store has secrets."""
    monkeypatch.setenv("BATUTA_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(Path(__file__).with_name("leaks_for_tests.py"), folder / "leaks.py")
    (folder / "batuta.toml").write_text(f'code = ["leaks.py"]\ndata = "{tmp_path / "lake"}"\n')
    return folder


def fill(root: Path) -> None:
    project = find_project(str(root))
    project.make_home()
    with Store.open(project.store_url) as store:
        vault = store.vault(keys_of(project))
        vault.put_secret("token", TOKEN, by="ann", now=1.0)
        vault.put_variable("api_key", f'"{API_KEY}"', by="ann", now=1.0)
        vault.put_variable("limit", "41", by="ann", now=1.0)
        fields = f'{{"kind":"postgresql","host":"dbhost","user":"etl","password":"{PASSWORD}"}}'
        vault.put_connection("db", "postgresql", fields, by="ann", now=1.0)


def opened(root: Path, executor: str) -> Workspace:
    return Workspace(find_project(str(root)), executor=executor, workers=2)  # type: ignore[arg-type]


def forms(secret: str) -> list[bytes]:
    """What must be found nowhere."""
    data = secret.encode()
    texts = [secret, quote(secret, safe=""), quote(secret), repr(secret)[1:-1], data.hex(), data.hex().upper()]
    texts += [base64.b64encode(bytes(before) + data).decode()[4 * (before > 0) : -4] for before in range(3)]
    return [text.encode() for text in texts]


def database(url: str) -> Iterator[tuple[str, bytes]]:
    """Every row of every table, or the files of SQLite."""
    if url.startswith("sqlite"):
        yield from ((path.name, path.read_bytes()) for path in Path(url[10:]).parent.glob("store.db*"))
        return
    import psycopg

    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert len(tables) > 20
        for (table,) in tables:
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                cells = (cell if isinstance(cell, bytes) else str(cell).encode() for cell in row)
                yield table, b"\n".join(cells)


def run(workspace: Workspace, job: str) -> RunHandle:
    handle = workspace.start_job(job)
    handle.wait(60)
    return handle


@pytest.mark.parametrize("executor", EXECUTORS)
def test_no_secret_is_recorded_in_clear(
    root: Path, executor: str, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATUTA_STORE_URL", store_url)
    fill(root)
    with opened(root, executor) as workspace:
        leaky = run(workspace, "leaky")
        assert leaky.state is RunState.SUCCEEDED, why(leaky)
        assert value_of(leaky) == [TOKEN, PASSWORD, "100"]
        assert "***" in error_of(leaky, "raises-0").message
        assert run(workspace, "fails").state is RunState.FAILED
        made = workspace.start_plan(workspace.assets.plan("rates").plan)
        assert made.wait(60) is RunState.SUCCEEDED, why(made)
        assert run(workspace, "templates").state is RunState.SUCCEEDED
        mapped = run(workspace, "mapped")
        assert mapped.state is RunState.SUCCEEDED, why(mapped)
        forget_secrets()
        spools = [path.read_bytes() for path in Path(workspace.project.home).glob("spools/*.spool")]
        assert bool(spools) is (executor == "processes")
        assert not any(form in data for data in spools for form in forms(TOKEN))
    home = Path(find_project(str(root)).home)
    files = [(str(path), path.read_bytes()) for path in home.rglob("*") if path.is_file()]
    rows = list(database(store_url))
    assert any(b"rates" in data for _, data in rows)
    for places, secrets in ((files, (TOKEN, PASSWORD, API_KEY)), (rows, (TOKEN, PASSWORD))):
        for name, data in places:
            found = [form for secret in secrets for form in forms(secret) if form in data]
            assert not found, (name, found)
    logged = "\n".join(line.text for path in home.rglob("*.log") for line in read(path))
    assert "the token is ***" in logged
    assert "half *** and half" in logged
    assert "item ***-2" in logged
    assert "token=***" in logged
    assert "*** *** dbhost 42" in logged
    if executor == "processes":
        assert "by descriptor ***" in logged


@pytest.mark.parametrize("executor", EXECUTORS)
def test_what_is_not_defined(root: Path, executor: str) -> None:
    fill(root)
    with opened(root, executor) as workspace:
        handle = run(workspace, "defaults")
        assert value_of(handle) == [None, "x", None, 41], why(handle)
        failed = run(workspace, "asks-for-what-is-not-there")
        told = error_of(failed, "asks-for-what-is-not-there")
        assert told.message == "looked in environment, files, store: there is no secret 'tokn'"
        assert told.hint == "did you mean 'token'?"


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_secret_is_no_parameter_of_another_run(root: Path, executor: str) -> None:
    fill(root)
    with opened(root, executor) as workspace:
        handle = run(workspace, "passes-it-on")
        assert handle.state is RunState.FAILED
        assert "job 'defaults': the parameter 'key' holds a secret" in error_of(handle, "launches-0").message
        assert TOKEN not in str(workspace.store.run(handle.id))


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_wrong_key_is_an_error_of_the_step_alone(root: Path, executor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(root)
    monkeypatch.setenv(KEY_VARIABLE, new_key())
    with opened(root, executor) as workspace:
        handle = run(workspace, "fails")
        told = error_of(handle, "fails")
        assert "the secret 'token' was encrypted with key" in told.message
        assert "set the secret 'token' again" in told.hint
        assert run(workspace, "defaults").state is RunState.SUCCEEDED


def test_a_script_looks_up_by_itself(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(root)
    monkeypatch.chdir(root)
    assert (Secret.get("token"), Variable.get("limit"), Connection.get("db").password) == (TOKEN, 41, PASSWORD)
    assert mask(f"{TOKEN} {PASSWORD}") == "*** ***"
    with pytest.raises(RequestError, match="there is no connection 'bd'"):
        Connection.get("bd")


def test_a_look_up_makes_no_store_and_no_key(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    assert Secret.get("token", "none") == "none"
    assert not Path(find_project(str(root)).home).exists()


CAREFREE = """
from batuta import Secret, asset, context, flow, task, triggers

TOKEN = Secret.get("token")


@task(description=f"uses {TOKEN}")
def uses() -> None:
    print("used", TOKEN)


@flow(description=f"shows {TOKEN}")
def shows() -> None:
    uses()


@flow
def takes(key: str = TOKEN) -> None:
    print(key)


@asset(layer="bronze", group="leaks", description=TOKEN, metadata={"token": TOKEN})
def rates() -> list[int]:
    return [1]


@task
def waits() -> None:
    context().defer(triggers.Signal(TOKEN))


@flow
def deferred() -> None:
    waits()
"""


@pytest.mark.parametrize("executor", EXECUTORS)
def test_what_is_looked_up_while_code_is_loaded_is_masked_too(
    root: Path, executor: str, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATUTA_STORE_URL", store_url)
    if executor == "threads":
        monkeypatch.chdir(root)  # processes of their own know whose code they load
    fill(root)
    (root / "leaks.py").write_text(CAREFREE)
    with opened(root, executor) as workspace:
        assert TOKEN not in repr(workspace.definitions)
        assert run(workspace, "shows").state is RunState.SUCCEEDED
        made = workspace.start_plan(workspace.assets.plan("rates").plan)
        assert made.wait(60) is RunState.SUCCEEDED, why(made)
        with pytest.raises(RequestError, match="the parameter 'key' holds a secret"):
            workspace.start_job("takes")
        waiting = run(workspace, "deferred")
        assert "what it waits for holds a secret" in error_of(waiting, "waits-0").message
    found = [name for name, data in database(store_url) for form in forms(TOKEN) if form in data]
    home = Path(find_project(str(root)).home)
    found += [str(path) for path in home.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    assert found == []
