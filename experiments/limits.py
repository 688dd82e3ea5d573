"""What was measured beside what was asked: one row a number, and whether all of them are met."""

import operator
from typing import NamedTuple

SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq}


class Row(NamedTuple):
    """what was measured; value; sign, one of SIGNS; limit; shown: how numbers are written, as "{:.2f} %"."""

    what: str
    value: float
    sign: str
    limit: float
    shown: str = "{:.3g}"

    @property
    def met(self):
        # A value that is no number meets no limit.
        return bool(SIGNS[self.sign](self.value, self.limit))


def judge(rows):
    """Prints the rows as a table; gives the exit status: 0 if every limit is met."""
    width = max(len(row.what) for row in rows)
    print(f"\n{'measured':<{width}}  {'value':>10}  {'limit':>12}")
    for row in rows:
        limit = f"{row.sign} {row.shown.format(row.limit)}"
        print(f"{row.what:<{width}}  {row.shown.format(row.value):>10}  {limit:>12}  {'met' if row.met else 'MISSED'}")
    missed = sum(not row.met for row in rows)
    print("all limits are met" if not missed else f"{missed} of {len(rows)} limits missed")
    return int(missed > 0)
