"""The picture of benchmark_render.py: how time and memory grow, a line or a bar for every contender."""

import pathlib

LEGEND = "CPU ms a picture"
# Ours stand out; peers keep their colour in all panels, whoever is missing.
COLOURS = {
    "C++": "#c0392b", "JAX": "#e67e22", "warp": "#2e86c1", "llvmpipe": "#117a65", "Open3D": "#7d3c98",
    "embreex": "#616a6b", "mitsuba": "#a3a000",
}  # fmt: skip
OURS = {"C++": "C++ (ours)", "JAX": "pure JAX (ours)"}
TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # of the axis of time


def draw(path, growths, memory, setting):
    """Writes a PNG. growths: {title of the axis: {place on it: {name: CPU ms}}};
    memory: {name: MiB}, of `setting`, a side and a batch.

    Raises ImportError without matplotlib.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 2, figsize=(10.5, 8.5), layout="constrained")
    panels = list(axes.flat)
    most, least = (choose(_times(growths)) for choose in (max, min))
    for panel, (title, found) in zip(panels, growths.items(), strict=False):
        _lines(panel, title, found)
        panel.set_ylim(least * 0.7, most * 1.4)
    _bars(panels[-1], memory, setting)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), frameon=False)
    figure.suptitle("Nearest and farthest surface of a mesh that moves, with eight attributes, on a CPU")
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def _times(growths):
    return [time for found in growths.values() for times in found.values() for time in times.values()]


def _lines(panel, title, found):
    """One panel of `growths`, both axes logarithmic."""
    names = dict.fromkeys(name for times in found.values() for name in times)
    for name in names:
        places = [place for place, times in found.items() if name in times]
        heights = [found[place][name] for place in places]
        ours = name in OURS
        panel.plot(
            places, heights, label=OURS.get(name, name), color=COLOURS[name], marker="o" if ours else "s", markersize=5,
            linewidth=2.5 if ours else 1.3, linestyle="-" if ours else "--", zorder=3 if ours else 2,
        )  # fmt: skip
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_yticks(TICKS, [f"{tick:,}" for tick in TICKS])
    panel.set_xticks(list(found), [f"{place:,}" for place in found], minor=False)
    panel.minorticks_off()
    panel.set_xlabel(title)
    panel.set_ylabel(LEGEND)
    panel.grid(alpha=0.3, which="both")


def _bars(panel, memory, setting):
    """Peak memory of processes that hold one contender each."""
    names = list(memory)
    labels = [OURS.get(name, name) for name in names]
    bars = panel.barh(labels, [memory[name] for name in names], color=[COLOURS[name] for name in names])
    panel.bar_label(bars, [f"{memory[name]:,.0f}" for name in names], padding=3)
    panel.set_xlim(0, max(memory.values()) * 1.2)
    panel.invert_yaxis()
    panel.set_xlabel(f"peak memory of a process in MiB, {setting}")
    panel.grid(alpha=0.3, axis="x")
