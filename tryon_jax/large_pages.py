"""A program started again with its memory in large pages.

XLA asks for the memory of each step anew, and the system maps it page by page: 4 KiB at a time that is a sixth of the
processor time of a training step on a CPU. Of 2 MiB there are few. The GNU C library does so only where it is told
before the program starts.
"""

import os
import pathlib
import sys

NAME, ASKED = "GLIBC_TUNABLES", "glibc.malloc.hugetlb"
OFFERED = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")
SINCE = (2, 35)  # of the GNU C library


def wanted(environment, library, offered):
    """The environment that asks for large pages; None where that is done already, forbidden, or not understood.

    library: what os.confstr tells of the C library, or None; offered: text of OFFERED, the choice in brackets.
    """
    told = environment.get(NAME, "")
    name, _, version = (library or "").partition(" ")
    if name != "glibc" or tuple(map(int, version.split(".")[:2])) < SINCE:
        return None
    if ASKED in told or "[madvise]" not in offered:
        return None
    return {**environment, NAME: ":".join(filter(None, (told, f"{ASKED}=1")))}


def here(environment):
    """`wanted` of an environment on this machine."""
    try:
        return wanted(environment, os.confstr("CS_GNU_LIBC_VERSION"), OFFERED.read_text())
    except (AttributeError, OSError, ValueError):  # not Linux, or another C library
        return None


def start_again():
    """Puts this program's next life, the same process with the same arguments, in this one's place where it helps.

    To be called before anything is done or read; returns where nothing is to be changed.
    """
    environment = here(dict(os.environ))
    if environment:
        os.execve(sys.executable, sys.orig_argv, environment)
