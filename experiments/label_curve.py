"""What self-supervision is worth in labelled people: try-on trained on shares of them, from ssl and from nothing.

    python experiments/label_curve.py --ssl=pretrained_ssl --out=runs/label_curve [--shares=0.1,0.2,0.3,1]

Each point is a run of configs/transfer.py on the first share of the training examples, and so of the people (the same
number of steps for all). Prints a table of the scores, mean and spread over seeds, and at which share the runs from
nothing are as good as those from ssl are at the smallest; draws OUT/label_curve.png (matplotlib, extra `bench`). The
same command goes on where it was stopped.
"""

import argparse
import math
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from experiments import sweep, sweep_space  # noqa: E402  (a clone need not be installed)
from tryon_jax import checkpoint, weights  # noqa: E402
from tryon_jax.errors import UserError  # noqa: E402

# Scores that are drawn, and whether less of each is better.
SCORES = {"evaluate/depth_rmse": True, "evaluate/garment_psnr": False, "evaluate/garment_uv_median": True}
STARTS = {"ssl": "from ssl", "nothing": "from nothing"}


def trials(ssl, shares, seeds, steps):
    """{name: values} of all runs: each start, share and seed."""
    found = {}
    for share in sorted(shares):
        for seed in seeds:
            for start in STARTS:
                folder = ssl if start == "ssl" else ""
                found[f"{start}_{share:g}_{seed}"] = {
                    "data.share": share, "seed": seed, "train.steps": steps,
                    "init.encoder": folder, "init.decoder": folder,
                }  # fmt: skip
    return found


def curves(results, score):
    """{start: {share: scores of all finished seeds}} of results as sweep.run gives them."""
    found = {start: {} for start in STARTS}
    for name, result in sorted(results.items()):
        if result["status"] == "finished":
            share = result["values"]["data.share"]
            found[name.partition("_")[0]].setdefault(share, []).append(result["scores"][score])
    return found


def mean(values):
    return sum(values) / len(values)


def needed(curve, wanted, less):
    """The smallest share at which a curve {share: values} is as good as `wanted`, between shares evenly in the
    logarithm; None if it never is."""
    sign = 1 if less else -1
    points = [(math.log(share), sign * mean(values)) for share, values in sorted(curve.items())]
    wanted *= sign
    for index, (place, value) in enumerate(points):
        if value <= wanted:
            if index == 0:
                return math.exp(place)
            before, worse = points[index - 1]
            return math.exp(before + (place - before) * (worse - wanted) / (worse - value))
    return None


def table(results):
    """Lines of Markdown: a row a share, mean and spread of each score from each start."""
    names = [score.rpartition("/")[2] for score in SCORES]
    lines = ["| share | start | " + " | ".join(names) + " | runs |", "| ---: | --- |" + " ---: |" * (len(names) + 1)]
    found = {score: curves(results, score) for score in SCORES}
    first = next(iter(found.values()))
    for share in sorted({share for curve in first.values() for share in curve}):
        for start, said in STARTS.items():
            rows = [found[score][start].get(share) for score in SCORES]
            if rows[0]:
                cells = [f"{mean(row):.4g} ({min(row):.4g} to {max(row):.4g})" for row in rows]
                lines.append(f"| {share:g} | {said} | " + " | ".join(cells) + f" | {len(rows[0])} |")
    return "\n".join(lines)


def verdicts(results):
    """A sentence a score: what the smallest share from ssl is worth from nothing."""
    for score, less in SCORES.items():
        found = curves(results, score)
        if found["ssl"] and found["nothing"]:
            share = min(found["ssl"])
            wanted = mean(found["ssl"][share])
            worth = needed(found["nothing"], wanted, less)
            said = f"{worth:.0%} of the examples" if worth else "more than all shares that were tried"
            yield f"{score}: {share:.0%} of the examples from ssl ({wanted:.4g}) are worth {said} from nothing"


def chart(path, results):
    """Writes a PNG, a panel a score: mean and spread over seeds against the share. Raises ImportError without
    matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(SCORES), figsize=(4.5 * len(SCORES), 3.8), layout="constrained")
    for panel, score in zip(panels, SCORES, strict=True):
        for (start, curve), colour in zip(curves(results, score).items(), ("#2e86c1", "#c0392b"), strict=True):
            shares = sorted(curve)
            means = [mean(curve[share]) for share in shares]
            ends = [[min(curve[share]) for share in shares], [max(curve[share]) for share in shares]]
            panel.plot(shares, means, "o-", color=colour, label=STARTS[start])
            panel.fill_between(shares, *ends, color=colour, alpha=0.2)
        panel.set_xscale("log")
        panel.set_xlabel("share of the training examples")
        panel.set_title(score.rpartition("/")[2])
        panel.grid(alpha=0.3)
    panels[0].legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ssl", required=True, help="folder of a finished ssl run, or pretrained_ssl")
    parser.add_argument("--out", required=True, help="folder of the runs, the table and the chart")
    parser.add_argument("--config", default="configs/transfer.py", help="FILE or FILE:PRESET")
    parser.add_argument("--shares", default="0.1,0.2,0.3,1", help="shares of the training examples, by commas")
    parser.add_argument("--seeds", default="0,1,2", help="by commas")
    parser.add_argument("--steps", type=int, default=1000, help="of every run")
    return parser.parse_args()


def main():
    chosen = arguments()
    out = pathlib.Path(chosen.out)
    try:
        shares, seeds = (
            [kind(text) for text in texts.split(",")] for kind, texts in ((float, chosen.shares), (int, chosen.seeds))
        )
    except ValueError as error:
        raise UserError(f"--shares and --seeds are numbers, parted by commas: {error}") from None
    ssl = str(weights.folder(chosen.ssl).resolve())
    if "encoder" not in checkpoint.restore_parts(ssl):
        raise UserError(f"--ssl={chosen.ssl}: that run has no encoder; give the folder of an ssl run")
    runs = trials(ssl, shares, seeds, chosen.steps)
    fixed = [f"--config={chosen.config}", "--config.train.evaluate_every=0", "--config.train.sample_every=0"]
    with checkpoint.held(out):
        wanted = {"config": sweep_space.locked(chosen.config).to_dict(), "ssl": ssl, "steps": chosen.steps}
        sweep.begin(out, wanted)
        results = sweep.run(out, runs, fixed, next(iter(SCORES)), chosen.steps)
    text = "\n".join([table(results), "", *verdicts(results)])
    (out / "table.md").write_text(text + "\n")
    print(text)
    try:
        chart(out / "label_curve.png", results)
        print(out / "label_curve.png")
    except ImportError as error:
        print(f"no picture is drawn: {error} (pip install matplotlib)")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on")
