"""What came of a sweep's trials: their scores as read from the runs' folders, a table of them, and a chart."""

import difflib
import json
import math
import pathlib
import re
import signal

from experiments.sweep_space import Choices, shown
from tryon_jax.errors import UserError

SCORES = "evaluate/"  # what metrics.jsonl puts before the names of scores
PANELS = 3  # in a row of the chart
LABEL = 16  # characters of a choice under the chart, at most


def scores(folder):
    """(step, {name: value}) of the last evaluated step of a run's folder; (None, {}) if none was evaluated."""
    path = pathlib.Path(folder) / "metrics.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    for line in reversed(lines):
        if line.endswith("\n") and f'"{SCORES}' in line:  # the last line of a killed run may be cut off
            found = json.loads(line)
            return found["step"], {key: value for key, value in found.items() if key.startswith(SCORES)}
    return None, {}


def reason(talk, code):
    """One line on why a process ended with exit status `code`, of `talk`, what it wrote."""
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    lines = [line.strip() for line in re.split(r"[\r\n]+", talk) if line.strip()]
    # After a traceback JAX adds lines of its own: what was raised stands before them.
    raised = [line for line in lines if re.match(r"(error|[\w.]*(Error|Exception|Interrupt)\w*)(: |$)", line)]
    return (raised or lines or [f"exit status {code}, and it said nothing"])[-1]


def check_score(results, score):
    """Raises UserError naming the nearest score if a finished trial has none of the name `score`."""
    for found in results:
        if found["status"] == "finished" and score not in found["scores"]:
            if not found["scores"]:
                raise UserError(f"{found['trial']}: its metrics.jsonl holds no score")
            nearest = difflib.get_close_matches(score, found["scores"], 1, 0)[0]
            raise UserError(
                f"--score={score}: no such score; did you mean {nearest}? The others are "
                f"{', '.join(name for name in found['scores'] if name != nearest)}; finished trials are kept"
            )


def ranked(results, score, goal):
    """The finished trials, the best first; goal: min or max."""
    sign = -1 if goal == "max" else 1
    return sorted(
        (found for found in results if found["status"] == "finished"), key=lambda found: sign * found["scores"][score]
    )


def table(results, score, goal):
    """Lines in Markdown: finished trials, the best first, the score's baselines beside; the others and why below."""
    best = ranked(results, score, goal)
    others = [found for found in results if found["status"] != "finished"]
    keys = list(results[0]["values"]) if results else []
    beside = sorted({name for found in best for name in found["scores"] if name.startswith(f"{score}/")})
    names = [name.removeprefix(score) for name in beside]
    rows = [["place", "trial", *keys, score, *names, "step", "seconds"]]
    for place, found in enumerate([*best, *others], 1):
        finished = found["status"] == "finished"
        rows.append([
            str(place) if finished else "-", found["trial"].partition("_")[0],
            *(shown(found["values"][key]) for key in keys),
            *([shown(found["scores"][name]) for name in (score, *beside)] if finished
              else [found["status"], *("" for _ in beside)]),
            str(found["step"] or "-"), f"{found['seconds']:.0f}",
        ])  # fmt: skip
    widths = [max(3, *(len(row[column]) for row in rows)) for column in range(len(rows[0]))]
    rows.insert(1, ["-" * width if column < 2 else "-" * (width - 1) + ":" for column, width in enumerate(widths)])
    lines = [
        "| " + " | ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ) + " |"
        for row in rows
    ]  # fmt: skip
    failed = [f"- {found['trial']}: {found['error']}" for found in others if found["error"]]
    return "\n".join([*lines, *([""] if failed else []), *failed])


def chart(path, space, results, score, goal):
    """Writes a PNG, a panel a key: scores of finished trials, the best marked, and where trials failed.

    Raises ImportError without matplotlib.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    columns, rows = min(len(space), PANELS), math.ceil(len(space) / PANELS)
    figure, axes = pyplot.subplots(
        rows, columns, figsize=(4.5 * columns, 3.8 * rows), layout="constrained", sharey=True, squeeze=False
    )
    best = ranked(results, score, goal)
    failed = [found for found in results if found["status"] == "failed"]
    panels = list(axes.flat)
    for panel, axis in zip(panels, space, strict=False):
        _panel(panel, axis, best, failed, score)
    for panel in panels[len(space) :]:
        panel.remove()
    for panel in axes[:, 0]:
        panel.set_ylabel(score)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    figure.suptitle(f"{score} ({goal} is best)")
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def _panel(panel, axis, best, failed, score):
    """Score against one key; values of a list stand evenly in its order, failed trials along the upper edge."""

    def places(trials):
        values = [found["values"][axis.key] for found in trials]
        return [axis.values.index(value) for value in values] if isinstance(axis, Choices) else values

    heights = [found["scores"][score] for found in best]
    panel.scatter(places(best), heights, color="#2e86c1", alpha=0.8, label="finished")
    panel.scatter(places(best[:1]), heights[:1], color="#c0392b", marker="*", s=180, zorder=3, label="best")
    if failed:
        edge = panel.get_xaxis_transform()
        panel.scatter(places(failed), [0.97] * len(failed), color="black", marker="x", transform=edge, label="failed")
    if isinstance(axis, Choices):
        panel.set_xticks(range(len(axis.values)), [shown(value)[:LABEL] for value in axis.values])
        panel.set_xlim(-0.5, len(axis.values) - 0.5)
        panel.tick_params("x", rotation=20 if max(len(shown(value)) for value in axis.values) > 8 else 0)
    else:
        panel.set_xscale("log" if axis.log else "linear")
        panel.set_xlim(*_widened(axis))
    panel.set_xlabel(axis.key)
    panel.margins(y=0.12)  # room for the marks along the upper edge
    panel.grid(alpha=0.3)


def _widened(axis, margin=0.05):
    """The ends of a range, moved apart by a share of its width, so that marks at the ends are whole."""
    low, high = (math.log(end) if axis.log else end for end in (axis.low, axis.high))
    ends = low - margin * (high - low), high + margin * (high - low)
    return [math.exp(end) if axis.log else end for end in ends]
