#!/usr/bin/env python3
"""How much memory the testbed's program has changed since a snapshot, counted by the kernel, beside the model's min(M, rate x time).

    python scripts/measure_dirty.py [--memory-mb 60] [--percent-per-s 5] [--seconds 30]

Needs Linux 6.7 or later, and no root: pages are write-protected (userfaultfd), and PAGEMAP_SCAN says which were written to since. The
program is the one that runs in the testbed's containers; here it runs in this process. Prints a line every second.
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import importlib.util
import os
import struct
import sys
import time
from pathlib import Path
from types import ModuleType

APPLICATIONS = Path(__file__).resolve().parents[1] / "msmf_traci" / "testbed" / "applications"
PAGE, BYTES_PER_MB = 4096, 1e6
SYS_USERFAULTFD, USER_MODE_ONLY, UFFD_API = 323, 1, 0xAA
WP_UNPOPULATED, WP_ASYNC, REGISTER_MODE_WP = 1 << 13, 1 << 15, 1 << 1
UFFDIO_API, UFFDIO_REGISTER, PAGEMAP_SCAN = 0xC018AA3F, 0xC020AA00, 0xC0606610
PAGE_IS_WRITTEN, PROTECT_AGAIN, MUST_BE_ASYNC = 1 << 1, 1 << 0, 1 << 1
MOST_REGIONS = 4096


class Tracker:
    """Counts the pages of a buffer that were written to since the last `reset`."""

    def __init__(self, address: int, length: int) -> None:
        self._range = address, address + length
        self._pagemap = os.open("/proc/self/pagemap", os.O_RDONLY | os.O_CLOEXEC)
        self._fd = ctypes.CDLL(None, use_errno=True).syscall(SYS_USERFAULTFD, os.O_CLOEXEC | os.O_NONBLOCK | USER_MODE_ONLY)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "userfaultfd")
        fcntl.ioctl(self._fd, UFFDIO_API, bytearray(struct.pack("3Q", UFFD_API, WP_UNPOPULATED | WP_ASYNC, 0)))
        fcntl.ioctl(self._fd, UFFDIO_REGISTER, bytearray(struct.pack("4Q", address, length, REGISTER_MODE_WP, 0)))

    def reset(self) -> None:
        """From now on nothing is changed."""
        self._scan(PROTECT_AGAIN | MUST_BE_ASYNC)

    def changed_bytes(self) -> int:
        """What has changed since."""
        return self._scan(MUST_BE_ASYNC)

    def _scan(self, flags: int) -> int:
        regions = (ctypes.c_uint64 * (3 * MOST_REGIONS))()
        begin, end = self._range
        found = 0
        while begin < end:
            words = [96, flags, begin, end, 0, ctypes.addressof(regions), MOST_REGIONS, 0, 0, PAGE_IS_WRITTEN, 0, PAGE_IS_WRITTEN]
            argument = bytearray(struct.pack("12Q", *words))
            n = fcntl.ioctl(self._pagemap, PAGEMAP_SCAN, argument)
            found += sum(regions[3 * k + 1] - regions[3 * k] for k in range(n))
            begin = struct.unpack("12Q", argument)[4]
        return found


def program() -> ModuleType:
    """The program's module, which lies where containers find it."""
    spec = importlib.util.spec_from_file_location("service", APPLICATIONS / "service.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Rewrite, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory-mb", type=float, default=60)
    parser.add_argument("--percent-per-s", type=float, default=5)
    parser.add_argument("--seconds", type=int, default=30)
    arguments = parser.parse_args()
    service = program()
    pages = int(arguments.memory_mb * BYTES_PER_MB // PAGE)
    memory = service.Memory(pages, service.Application())
    buffer = memory._buffer
    try:
        tracker = Tracker(ctypes.addressof(ctypes.c_char.from_buffer(buffer)), len(buffer))
        tracker.reset()
    except OSError as error:
        sys.exit(f"measure_dirty.py: this kernel cannot track changed pages ({error}); Linux 6.7 or later can")
    per_s = pages * arguments.percent_per_s / 100
    begin_s = time.monotonic()
    print("seconds  changed MB  model MB")
    worst = 0.0
    for second in range(1, arguments.seconds + 1):
        while (passed_s := time.monotonic() - begin_s) < second:
            memory.rewrite(int(per_s * passed_s) - memory.rewritten)
            time.sleep(0.01)
        changed = tracker.changed_bytes() / BYTES_PER_MB
        model = min(pages, per_s * (time.monotonic() - begin_s)) * PAGE / BYTES_PER_MB
        worst = max(worst, abs(changed / model - 1))
        print(f"{second:7d}  {changed:10.2f}  {model:8.2f}", flush=True)
    print(f"the model is {100 * worst:.1f} % off at most")


if __name__ == "__main__":
    main()
