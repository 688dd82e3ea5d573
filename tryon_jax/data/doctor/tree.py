"""The tree of a copy: its folders, its files of pairs, and whether all files that the pairs name are there."""

import os
import pathlib
from typing import NamedTuple

from tryon_jax.data.doctor import ERROR, SYSTEMATIC, WARNING, Finding


class Naming(NamedTuple):
    """Compiled patterns that a person's and a garment's file names match, and an example of a line of such."""

    person: object
    cloth: object
    example: str


def folder(parent, spellings, optional=False):
    """(The first folder parent/name of `spellings` that exists or None, findings)."""
    for name in spellings:
        if (parent / name).is_dir():
            return parent / name, []
    if optional:
        return None, []
    wrong = f"there is no folder {' or '.join(spellings)}."
    remedy = "Unpack the data set anew, or rename yours."
    return None, [Finding(ERROR, "absent folder", parent / spellings[0], wrong, remedy)]


def pairs(path, naming):
    """([(person, garment)] of a file of pairs without doubles, findings)."""
    remedy = "Take the file from the data set anew."
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return [], [Finding(ERROR, "absent file", path, "the file of pairs is not there.", remedy)]
    except (OSError, UnicodeDecodeError) as error:
        return [], [Finding(ERROR, "file of pairs", path, f"it cannot be read as text ({error}).", remedy)]
    found, findings = {}, []
    for number, line in enumerate(lines, 1):
        names = tuple(line.split())
        if not names:
            continue
        if len(names) != 2 or any(pathlib.PurePath(name).name != name for name in names):
            wrong = f"line {number} is not a person's and a garment's file name: {line.strip()[:80]!r}."
            findings.append(Finding(ERROR, "file of pairs", path, wrong, f"Each line is like {naming.example!r}."))
        elif not (naming.person.fullmatch(names[0]) and naming.cloth.fullmatch(names[1])):
            wrong = f"line {number} has names of another form: {' '.join(names)[:80]!r}."
            findings.append(Finding(ERROR, "file names", path, wrong, f"Each line is like {naming.example!r}."))
        elif names in found:
            wrong = f"line {number} repeats line {found[names]}."
            findings.append(Finding(WARNING, "repeated line", path, wrong, "Delete it, or it is trained on twice."))
        else:
            found[names] = number
    if not found and not findings:
        findings.append(Finding(ERROR, "file of pairs", path, "it names no pairs.", remedy))
    return list(found), findings


def worn(path, pairs, identity, what):
    """Findings of a list of pairs (person, garment) in which a person has another garment than the one worn.

    identity: file name -> what both of a pair have in common, called `what` in words.
    """
    apart = [pair for pair in pairs if identity(pair[0]) != identity(pair[1])]
    if not apart:
        return []
    wrong = f"in {len(apart)} of its pairs the two differ in their {what}, first in {' '.join(apart[0])}."
    severity = ERROR if len(apart) >= SYSTEMATIC * len(pairs) else WARNING
    remedy = f"Pair each person with the garment of the same {what}: no other is worn, and none has a truth."
    return [Finding(severity, "unpaired pair", path, wrong, remedy)]


def absent(place, names, listed, severity=ERROR):
    """Findings of the files `names` that are not in folder `place`; listed: where they are named, e.g. a file of pairs.

    Files of the same name but for capitals or ending are pointed out.
    """
    if place is None:
        return []
    there = {entry.name for entry in os.scandir(place)}
    missing = sorted(set(names) - there)
    near = {_plain(name): name for name in sorted(there)} if missing else {}
    findings = []
    for name in missing:
        other = near.get(_plain(name))
        wrong = f"{listed} asks for it, but it is not there{f'; {other} is' if other else ''}."
        remedy = "Rename or convert that one." if other else "Fetch it again, or take the pair out of the list."
        findings.append(Finding(severity, "absent file", place / name, wrong, remedy))
    return findings


def _plain(name):
    return name.rpartition(".")[0].lower()
