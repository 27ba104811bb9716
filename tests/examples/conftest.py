"""Makes the examples' packages importable, as their own directory does when they run."""

import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"

sys.path.insert(0, str(EXAMPLES / "fintech"))
