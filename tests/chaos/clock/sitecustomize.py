"""A clock that can be set: on the path of a process, it adds to `time.time` what a file says (seconds, a double).

Python imports it by its name when it starts. The steady clock stays what it is, as on a machine whose clock is set.
"""

import mmap
import os
import struct
import time

_path = os.environ.get("BATUTA_CHAOS_CLOCK")
if _path:
    with open(_path, "rb") as _file:
        _offset = mmap.mmap(_file.fileno(), 8, prot=mmap.PROT_READ)
    _real = time.time

    def _set_time() -> float:
        """The time of day, as it was set."""
        return _real() + float(struct.unpack_from("<d", _offset)[0])

    time.time = _set_time
