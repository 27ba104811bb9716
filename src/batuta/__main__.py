"""`python -m batuta`: the command line, of just this Python."""

from __future__ import annotations

from batuta.cli.main import main

if __name__ == "__main__":
    main()
