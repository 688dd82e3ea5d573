"""What the doctor tells: on the terminal, as report.md with worst.png, and as JSON."""

import json
import textwrap
from itertools import groupby

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tryon_jax.data.doctor import ERROR, evidence

FIRST, FIRST_WRITTEN = 3, 20  # files named of each kind, on the terminal and in report.md
WORST = 3  # faults shown
GAP, TITLE, CAPTION = 12, 44, 26  # pixels of worst.png


def text(examination):
    """The report as lines for a terminal."""
    lines = [_summary(examination)]
    for severity, kind, group in _groups(examination):
        lines.append(f"\n{severity.upper()}  {kind}, {_counted(len(group), 'file')}")
        for one in group[:FIRST]:
            lines.append(f"  {_place(one, examination)}: {one.wrong}")
        if len(group) > FIRST:
            lines.append(f"  and {len(group) - FIRST} more")
        lines += [f"  -> {remedy}" for remedy in _remedies(group)]
    return "\n".join(lines)


def write(examination, folder):
    """Writes report.md, and worst.png if a fault can be shown, into `folder`; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    found = worst(examination)
    picture, page = folder / "worst.png", folder / "report.md"
    picture.unlink(missing_ok=True)  # of an earlier report
    if found:
        Image.fromarray(sheet(found, examination)).save(picture)
    page.write_text(markdown(examination, bool(found)), encoding="utf-8")
    return [page, picture] if found else [page]


def markdown(examination, shown):
    """The report as Markdown; shown: whether worst.png lies beside it."""
    lines = [f"# {examination.name}", "", _summary(examination), ""]
    groups = list(_groups(examination))
    if groups:
        lines += ["| severity | kind | files |", "| --- | --- | --- |"]
        lines += [f"| {severity} | {kind} | {len(group)} |" for severity, kind, group in groups]
    if shown:
        lines += ["", "![The worst faults beside what should be there](worst.png)"]
    for severity, kind, group in groups:
        lines += ["", f"## {kind} ({severity})", "", " ".join(_remedies(group)), ""]
        lines += [f"- `{_place(one, examination)}`: {one.wrong}" for one in group[:FIRST_WRITTEN]]
        if len(group) > FIRST_WRITTEN:
            lines.append(f"- and {len(group) - FIRST_WRITTEN} more; --json names all")
    return "\n".join(lines) + "\n"


def document(examination):
    """The report as a dict that JSON can hold."""
    findings = [
        {"severity": one.severity, "kind": one.kind, "file": _place(one, examination), "wrong": one.wrong,
         "remedy": one.remedy}
        for one in examination.findings
    ]  # fmt: skip
    return {
        "dataset": examination.name, "root": str(examination.root), "pairs": examination.pairs,
        "pairs_looked_at": examination.looked, "files_read": examination.files, "errors": errors(examination),
        "warnings": len(findings) - errors(examination), "findings": findings,
    }  # fmt: skip


def write_json(examination, path):
    """Writes document() to a file, its folder too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document(examination), indent=1) + "\n", encoding="utf-8")


def errors(examination):
    """Number of findings that are errors."""
    return sum(one.severity == ERROR for one in examination.findings)


def worst(examination):
    """Up to WORST findings that can be shown: the first of each kind, errors and frequent ones first, then others."""
    able = [one for one in examination.findings if one.shown]
    first = list({one.kind: one for one in reversed(able)}.values())[::-1]
    return (first + [one for one in able if not any(one is other for other in first)])[:WORST]


def sheet(findings, examination):
    """Uint8 [H, W, 3]: a row for each finding, what is on the disk at the left, what should be at the right."""
    rows = [one.shown() for one in findings]
    widths = [max(row.found.shape[1] for row in rows), max(row.wanted.shape[1] for row in rows)]
    widths = [max(width, 330) for width in widths]  # pixels, so that captions have room
    height = TITLE + evidence.ROWS + CAPTION + GAP
    canvas = Image.new("RGB", (sum(widths) + 3 * GAP, height * len(rows) + GAP), (255, 255, 255))
    pen, large, small = ImageDraw.Draw(canvas), ImageFont.load_default(14), ImageFont.load_default(12)
    for index, (one, row) in enumerate(zip(findings, rows, strict=True)):
        top = GAP + index * height
        title = textwrap.wrap(f"{one.kind}: {_place(one, examination)}", canvas.width // 8)
        pen.text((GAP, top), "\n".join(title[:2]), fill=(0, 0, 0), font=large, spacing=2)
        for picture, about, left in (
            (row.found, row.about_found, GAP),
            (row.wanted, row.about_wanted, 2 * GAP + widths[0]),
        ):
            canvas.paste(Image.fromarray(picture), (left, top + TITLE))
            pen.text((left, top + TITLE + evidence.ROWS + 4), about, fill=(60, 60, 60), font=small)
    return np.asarray(canvas)


def _groups(examination):
    """(severity, kind, findings) in the order of the findings, which are sorted by them."""
    for (severity, kind), group in groupby(examination.findings, lambda one: (one.severity, one.kind)):
        yield severity, kind, list(group)


def _remedies(group):
    """The first few remedies, each once."""
    return list(dict.fromkeys(one.remedy for one in group))[:FIRST]


def _place(finding, examination):
    inside = finding.file.is_relative_to(examination.root)
    return str(finding.file.relative_to(examination.root)) if inside else str(finding.file)


def _summary(examination):
    wrong = errors(examination)
    counts = f"{_counted(wrong, 'error')}, {_counted(len(examination.findings) - wrong, 'warning')}"
    told = counts if examination.findings else "nothing is wrong"
    looked = f"{examination.looked} of {_counted(examination.pairs, 'pair')} ({_counted(examination.files, 'file')})"
    return f"{examination.name} in {examination.root}: looked at {looked}; {told}"


def _counted(number, what):
    return f"{number} {what}{'' if number == 1 else 's'}"
