"""Everything that user code can do wrong with a secret, in a flow, a DAG and an asset."""

from __future__ import annotations

import base64
import ctypes
import logging
import os
import subprocess
import sys
from typing import Any
from urllib.parse import quote

from batuta import DAG, Connection, Secret, SkipTask, Variable, asset, check, context, flow, task
from batuta.operators import ShellOperator


class Broken(Exception):
    """Comes back from a pickle."""


@task
def prints() -> None:
    token = Secret.get("token")
    print("the token is", token)
    print(repr(token), file=sys.stderr)
    sys.stdout.write("half " + token[:7])
    sys.stdout.write(token[7:] + " and half\n")
    print(base64.b64encode(token.encode()).decode(), base64.b64encode(b"Bearer " + token.encode()).decode())
    print(quote(token, safe=""), token.encode().hex())


@task
def logs() -> None:
    logging.getLogger("mine").warning("token=%s", Secret.get("token"))
    context().log.info("url: %s", Connection.get("db").url)
    print(Variable.get("api_key"))


@task
def writes_in_c() -> None:
    token = Secret.get("token")
    os.write(1, f"by descriptor {token}\n".encode())
    os.write(1, token[:5].encode())
    os.write(1, f"{token[5:]}\n".encode())
    libc = ctypes.CDLL(None)
    libc.puts(token.encode())
    subprocess.run([sys.executable, "-c", "import os; print(os.environ['IT'])"], env={"IT": token}, check=True)


@task
def raises() -> None:
    try:
        raise ValueError(f"inner {Secret.get('token')}")
    except ValueError as error:
        broken = Broken(Secret.get("token"), {"deep": Secret.get("token")})
        broken.add_note(f"noted: {Secret.get('token')}")
        raise broken from error


@task
def skips() -> None:
    raise SkipTask(f"because of {Secret.get('token')}")


@task
def returns() -> dict[str, Any]:
    return {"token": Secret.get("token"), "rows": [1, 2], "text": "x" * 30 + Secret.get("token")}


@task
def returns_much() -> dict[str, Any]:
    return {"token": Secret.get("token"), "filling": ["y" * 50] * 100}


@task
def returns_an_object() -> Any:
    return Connection.get("db")


@task
def reads(value: Any, much: Any, connection: Connection) -> list[str]:
    print("got", value["token"], much["token"], connection.password)
    return [value["token"], connection.password, str(len(much["filling"]))]


@flow
def inner(text: str) -> str:
    print(text)
    return text


@flow
def leaky() -> list[str]:
    print("in the body:", Secret.get("token"))
    for each in (prints, logs, writes_in_c, skips):
        each.submit().wait()
    failed = raises.submit()
    failed.wait()
    assert Secret.get("token") in inner(f"for the child: {Secret.get('token')}")
    return reads(returns(), returns_much(), returns_an_object())


@flow
def fails() -> None:
    raise Broken(Secret.get("token"))


@asset(layer="bronze", group="leaks")
def rates() -> list[int]:
    context().add_metadata(token=Secret.get("token"), nested={"list": [Secret.get("token")]}, rows=3)
    return [1]


@check(rates)
def says(rates: Any) -> bool:
    context().add_metadata(seen=Secret.get("token"))
    return True


@flow
def defaults() -> list[Any]:
    return [Variable.get("none", None), Secret.get("none", "x"), Connection.get("none", None), Variable.get("limit")]


@flow
def asks_for_what_is_not_there() -> None:
    Secret.get("tokn")


@task
def launches(key: str) -> int:
    run_id: int = context().ask("launch", job="defaults", params={"key": key})["run_id"]
    return run_id


@flow
def passes_it_on() -> int:
    return launches(Secret.get("token"))


with DAG("templates") as templates:
    ShellOperator("echo {{ secret('token') }} {{ conn('db').password }} {{ conn('db').host }} {{ var('limit') + 1 }}")


@task
def several() -> list[str]:
    return [Secret.get("token") + "-1", Secret.get("token") + "-2", "z" * 2_000]


@task
def one_of_them(item: str) -> int:
    print("item", item[:30])
    return len(item)


with DAG("mapped") as mapped:
    one_of_them.expand(item=several())
