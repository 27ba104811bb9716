"""Flows that the engine's tests run. Loaded by path, as a user's file would be."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from batuta import Cache, SkipTask, as_completed, context, flow, pause_for_input, task, unmapped


def note(name: str) -> None:
    """Leave a trace of a call, from whatever process."""
    with open(os.environ["BATUTA_TEST_TRACE"], "a") as file:
        file.write(f"{name}\n")


@task
def add(a: int, b: int = 1) -> int:
    return a + b


@task
def total(values: list[int]) -> int:
    return sum(values)


@task
def boom(text: str) -> None:
    raise KeyError(text)


@flow
def arithmetic(n: int = 3) -> int:
    first = add.submit(1)
    second = add.submit(first, b=first).result()
    many = add.map(list(range(n)), b=unmapped(10))
    return add(second, 0) + total.submit(list(many)).result()


@flow
def catches() -> str:
    try:
        boom("lost")
    except KeyError as error:
        return f"caught {error.args[0]}"
    return "nothing"


@flow
def fails() -> None:
    boom("for good")


@flow
def upstream_fails() -> str:
    broken = boom.submit("first")
    after = add.submit(broken)
    after.wait()
    return after.state


@task(retries=3, retry_delay_s=0.01)
def third_time() -> int:
    tries = context().attempt
    note(f"try {tries}")
    if tries < 3:
        raise ValueError(f"try {tries}")
    return tries


@task(retries=3, retry_if=(OSError,))
def not_worth_it() -> None:
    note("not worth it")
    raise ValueError("no")


@flow
def retried() -> int:
    return third_time()


@flow
def not_retried() -> None:
    not_worth_it()


@task
def skips() -> None:
    raise SkipTask("nothing new")


@flow
def skipping() -> str:
    future = skips.submit()
    future.wait()
    return future.state


@flow
def inner(x: int) -> int:
    return add(x) + add(x, 5)


@flow
def outer(n: int = 2) -> list[int]:
    return [inner(i) for i in range(n)]


@task(cache=True)
def expensive(x: int) -> int:
    note(f"expensive {x}")
    return x * x


@task(cache=Cache(key=lambda _context, arguments: "same"))
def by_key(x: int) -> int:
    note("by key")
    return x


@flow
def caching() -> list[int]:
    return [expensive(3), expensive(3), expensive(4), by_key(1), by_key(2)]


@flow
def asking() -> str:
    note("body")
    size: int = pause_for_input("how many?", type=int)
    return "x" * size


@flow
def asking_later() -> int:
    total = sum(add(i) for i in range(3))
    factor: int = pause_for_input("times?", type=int)
    return add(total * factor)


@task(pool="narrow")
def in_pool(i: int) -> int:
    here = Path(os.environ["BATUTA_TEST_TRACE"] + ".slots")
    here.mkdir(exist_ok=True)
    mine = here / str(i)
    mine.touch()
    seen = len(list(here.iterdir()))
    time.sleep(0.01)
    mine.unlink()
    return seen


@flow
def pooled() -> int:
    return max(in_pool.map(list(range(8))).result())


@task(timeout_s=0.2)
def sleepy() -> None:
    for _ in range(1000):
        time.sleep(0.01)


@flow
def timing_out() -> None:
    sleepy()


@task
def segfault() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


@task
def leaves() -> None:
    os._exit(7)


@task
def killed() -> int:
    note("killed")
    if Path(os.environ["BATUTA_TEST_TRACE"]).read_text().count("killed") < 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return 1


@flow
def crashing(how: str = "segfault") -> int:
    if how == "killed":
        return killed()
    (segfault if how == "segfault" else leaves)()
    return 0


@flow
def others_go_on() -> int:
    broken = segfault.submit()
    values = add.map(list(range(20)))
    broken.wait()
    return total.submit(list(values)).result()


@task
def waits_for(path: str) -> None:
    note("waiting")
    while not os.path.exists(path):
        context().check_cancelled()
        time.sleep(0.005)


@flow
def waiting(path: str) -> str:
    waits_for(path)
    return "done"


@task
def prints() -> None:
    import logging

    print("printed")
    logging.getLogger("mine").warning("logged")
    os.system("echo from below")


@flow
def printing() -> None:
    prints()


@task
def lock() -> threading.Lock:
    return threading.Lock()


@flow
def unserializable() -> None:
    lock()


@flow
def bad_argument() -> None:
    add.submit(threading.Lock()).result()


@flow
def typed(day: int, names: list[str] | None = None) -> int:
    return day


@task
def half(i: int) -> int:
    note(f"half {i}")
    if i == 3 and not os.path.exists(os.environ["BATUTA_TEST_TRACE"] + ".fixed"):
        raise RuntimeError("not yet")
    return i


@flow
def halves() -> int:
    return total.submit(list(half.map(list(range(6))).wait())).result()


@flow
def in_order() -> list[int]:
    futures = add.map([1, 2, 3])
    return sorted(future.result() for future in as_completed(futures))


@task
async def async_add(a: int, b: int) -> int:
    import asyncio

    await asyncio.sleep(0)
    return a + b


@flow
async def asynchronous() -> int:
    one = await async_add(1, 2)
    two: Any = async_add.submit(one, 4)
    value: int = await two
    return value


@task(persist=False)
def passing() -> threading.Lock:
    return threading.Lock()


@task
def generated(n: int) -> Any:
    yield from range(n)


@flow
def generating() -> int:
    return total(generated(4))


@task
async def generated_async(n: int) -> Any:
    for i in range(n):
        await asyncio.sleep(0)
        yield i


@flow
async def generating_async() -> list[Any]:
    three = [item async for item in generated_async(3)]
    return [sum(await generated_async(4)), *await asyncio.gather(generated_async(2)), three]


@flow
def giving_futures() -> dict[str, Any]:
    return {
        "alone": add.submit(1, 2),
        "list": [add.map([1, 2], b=1), add.submit(2, 2)],
        "pair": (add.submit(2, 3), None),
    }


@flow
def submitting_a_flow() -> None:
    inner.submit(1)


@task(
    on_success=lambda context: note(f"success {context.step}"),
    on_failure=lambda context, error: note(f"failure {error}"),
)
def hooked(fail: bool) -> None:
    if fail:
        raise ValueError("hook me")


@flow
def hooking() -> None:
    hooked(False)
    hooked.submit(True).wait()
