"""Makes an environment for each peer: `python -m bench.peers.install DIR [NAME ...]`.

Prints the flags that point the bench to them. Packages come from wherever this machine's installer gets them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.peers.catalog import PEERS, Peer


def install(peer: Peer, folder: Path, python: str) -> Path:
    """Make the environment; returns its Python. Raises CalledProcessError where it cannot be made."""
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--allow-existing", "--python", python, str(folder)], check=True)
    found = folder / "bin" / "python"
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as overrides:
        overrides.write("\n".join(peer.overrides))
        overrides.flush()
        more = ["--override", overrides.name] if peer.overrides else []
        command = [*uv, "pip", "install", "--quiet", "--python", str(found), *more, *peer.packages]
        subprocess.run(command, check=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PEERS)} (default: all)")
    parser.add_argument("--python", default=sys.executable, help="the Python of the environments (default: this one)")
    options = parser.parse_args()
    unknown = set(options.names) - set(PEERS)
    if unknown:
        parser.error(f"no such peer: {', '.join(sorted(unknown))}")
    flags = []
    failed = False
    for name in options.names or PEERS:
        try:
            flags.append(f"--peer {name}={install(PEERS[name], options.folder / name, options.python)}")
        except subprocess.CalledProcessError as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = True
    print(" ".join(flags))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
