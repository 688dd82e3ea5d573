"""Large pages: asked for once, where the system offers them, and nothing else of the program changes."""

import os
import pathlib
import subprocess
import sys

import pytest

from tryon_jax import large_pages

OFFERED = "always [madvise] never"
ROOT = pathlib.Path(__file__).parent.parent


def test_they_are_asked_for_beside_what_was_told_before():
    assert large_pages.wanted({"A": "b"}, "glibc 2.36", OFFERED) == {
        "A": "b",
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    }
    told = {"GLIBC_TUNABLES": "glibc.malloc.check=3"}
    found = large_pages.wanted(told, "glibc 2.40", OFFERED)
    assert found == {"GLIBC_TUNABLES": "glibc.malloc.check=3:glibc.malloc.hugetlb=1"}
    assert large_pages.wanted(found, "glibc 2.40", OFFERED) is None


@pytest.mark.parametrize(
    "library, offered",
    [("glibc 2.31", OFFERED), (None, OFFERED), ("musl 1.2.5", OFFERED), ("glibc 2.36", "[always] madvise never"),
     ("glibc 2.36", "always madvise [never]")],
)  # fmt: skip
def test_nothing_changes_elsewhere(library, offered):
    assert large_pages.wanted({}, library, offered) is None


def test_a_user_may_forbid_them():
    assert large_pages.wanted({"GLIBC_TUNABLES": "glibc.malloc.hugetlb=0"}, "glibc 2.36", OFFERED) is None


PROGRAM = """
import os, sys
from tryon_jax import large_pages
print(os.getpid(), os.environ.get("GLIBC_TUNABLES", ""), flush=True)
large_pages.start_again()
print("arguments", sys.argv[1:], sys.stdin.read())
"""


def test_the_same_process_goes_on_with_the_same_arguments():
    environment = {name: value for name, value in os.environ.items() if name != large_pages.NAME}
    command = [sys.executable, "-c", PROGRAM, "--one", "two words"]
    done = subprocess.run(command, cwd=ROOT, env=environment, input="told", capture_output=True, text=True, check=True)
    *starts, last = done.stdout.splitlines()
    assert last == "arguments ['--one', 'two words'] told"
    assert len({start.split()[0] for start in starts}) == 1
    assert len(starts) == (2 if large_pages.ASKED in starts[-1] else 1)
