"""What a task's rows say, for people and for programs."""

import math

# Columns after the count, in this order where a row has them.
ORDER = ("constant", "own_mean", "copied", "pasted", "truth")


def table(rows):
    """Lines of text: a score a row with its unit, the better direction, 95 percent interval, number of examples, and
    the floors' values.
    """
    floors = [who for who in ORDER if any(who in row.beside for row in rows)]
    lines = [["score", "unit", "better", "value", "95 % interval", "n", *floors]]
    for row in rows:
        found = row.estimate
        interval = f"{_short(found.low)} .. {_short(found.high)}" if found.count else "-"
        lines.append([row.name, row.measure.unit, row.measure.better, _short(found.value), interval, str(found.count)])
        lines[-1] += [_short(row.beside.get(who, math.nan)) for who in floors]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    left = 3  # columns of words
    return "\n".join(
        "  ".join(
            text.ljust(width) if column < left else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def as_json(rows):
    """Dict of score -> its unit, direction, value, interval, n and floors; what is not defined is None."""
    return {
        row.name: {
            "unit": row.measure.unit,
            "better": row.measure.better,
            "about": row.measure.about,
            "value": _number(row.estimate.value),
            "interval_95": [_number(row.estimate.low), _number(row.estimate.high)],
            "n": row.estimate.count,
            "floors": {who: _number(row.beside[who]) for who in ORDER if who in row.beside},
        }
        for row in rows
    }


def _short(value):
    return "-" if math.isnan(value) else f"{value:.4g}"


def _number(value):
    return float(value) if math.isfinite(value) else None
