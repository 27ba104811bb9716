"""What a step can wait for without a worker, for `from batuta.triggers import FileArrives`; see `Defer`."""

from __future__ import annotations

from batuta.core.triggers import AssetMade as AssetMade
from batuta.core.triggers import At as At
from batuta.core.triggers import FileArrives as FileArrives
from batuta.core.triggers import HttpAnswers as HttpAnswers
from batuta.core.triggers import RowArrives as RowArrives
from batuta.core.triggers import RunEnds as RunEnds
from batuta.core.triggers import Signal as Signal

__all__ = ["AssetMade", "At", "FileArrives", "HttpAnswers", "RowArrives", "RunEnds", "Signal"]
