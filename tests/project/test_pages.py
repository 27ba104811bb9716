"""Every code block of README.md and docs/ does what the page says; and the harness notices when one does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.pages import PageError, blocks_to_run

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("README.md"), *ROOT.glob("docs/**/*.md")])
PAGE_TIMEOUT_S = 110


def run(page: Path, directory: Path) -> tuple[int, str]:
    """Run the page in an empty directory, with `batuta` on the PATH; exit code and output."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BATUTA_")}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', os.defpath)}",
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
        "HOME": str(directory.parent),
        "COLUMNS": "120",
        "NO_COLOR": "1",
        "TERM": "dumb",
    }
    directory.mkdir()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.project.run_page", str(page)],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=PAGE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            return 124, f"{output}\nnot done after {PAGE_TIMEOUT_S} s"
    return process.returncode, output


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    code, output = run(page, tmp_path / "reader")
    assert code == 0, output


GOOD_PAGE = """\
# A page

A file of the reader's:

```python title="shop/prices.py"
PRICE = 7
```

```python
def total(count: int) -> int:
    return count * 7
```

Its source is known, and the blocks share their names:

```python
import inspect
assert "count * 7" in inspect.getsource(total)
assert total(2) == 14
assert __name__ == "__main__"
open("made-by-python", "w").close()
```

```console
$ ls made-by-*
made-by-python
$ cd shop
$ python -c "import prices; \\
print('the price is', prices.PRICE, 'today', id(prices))"
the price is 7 ...
```

- In a list, after the `cd`:

    ```python
    import os
    assert os.path.exists("prices.py")
    ```

<!-- no-run: shows what goes wrong -->

```python
raise SystemExit("not run")
```

```text
neither is this
```
"""


def test_good_page_passes(tmp_path: Path) -> None:
    page = tmp_path / "good.md"
    page.write_text(GOOD_PAGE)
    code, output = run(page, tmp_path / "reader")
    assert code == 0, output
    assert [block.language for block in blocks_to_run(page)] == ["python", "python", "python", "console", "python"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Text.\n\n```python\nassert 1 == 2\n```\n", "bad.md:4: this block failed"),
        ("```python\nx = 1\n\nraise ValueError(x)\n```\n", 'page.py", line 4'),
        ("```console\n$ exit 3\n```\n", "`exit 3` ended with exit code 3"),
        ("```console\n$ echo yes\nno\n```\n", "`echo yes` did not print"),
        ("```console\nfirst the output\n```\n", "starts with output"),
        ('```python title="broken.py"\nimport nothing_of_this_name\n```\n', "nothing_of_this_name"),
        ('```python title="../outside.py"\n```\n', "lies outside"),
        ("```python\nx = 1\n", "never closed"),
        ("<!-- no-run: -->\n```python\n```\n", "no-run without a reason"),
    ],
)
def test_bad_page_fails(text: str, complaint: str, tmp_path: Path) -> None:
    page = tmp_path / "bad.md"
    page.write_text(text)
    code, output = run(page, tmp_path / "reader")
    assert code != 0
    assert complaint in output


def test_an_unclosed_block_is_an_error_with_its_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("one\n```python\nx = 1\n")
    with pytest.raises(PageError, match="line 2"):
        blocks_to_run(page)
