"""How much memory this process holds."""

from __future__ import annotations

import os
import resource
import sys


def measure_resident() -> int:
    """Return the bytes of memory this process holds: now on Linux, elsewhere the most it ever held."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
