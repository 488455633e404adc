"""The log-log plot of benchmarks.md: seconds against borrowers, the engine, its phases and its peers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

_PHASES = ("price", "newton", "finish", "core", "certify")
_SAME_BYTES = {"svg.hashsalt": "allocator", "svg.fonttype": "none", "font.size": 9}
"""Identifiers by content, texts as texts: the same JSON, the same file."""


def growth_plot(growth: Sequence[Mapping[str, Any]], races: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the plot of the central case's results and of its races as SVG."""
    with mpl.rc_context(_SAME_BYTES):
        figure, axes = plt.subplots(figsize=(7.2, 4.6), layout="constrained")
        _engine(axes, growth)
        _peers(axes, races)
        axes.set(xscale="log", yscale="log", xlabel="borrowers", ylabel="seconds, columns to certificate")
        axes.grid(visible=True, which="major", color="0.9")
        axes.legend(fontsize=7, loc="upper left", ncols=2)
        figure.savefig(path, format="svg", metadata={"Date": None})
        plt.close(figure)


def _engine(axes: Axes, growth: Sequence[Mapping[str, Any]]) -> None:
    """The total, its phases, and the line of proportional growth through 100,000 borrowers."""
    sizes = [result["case"]["size"] for result in growth]
    took = [result["case"]["seconds"] for result in growth]
    axes.plot(sizes, [phases["total"] for phases in took], "o-", color="black", label="allocator, total")
    for phase in _PHASES:
        points = [(n, phases[phase]) for n, phases in zip(sizes, took, strict=True) if phases.get(phase)]
        if points:
            axes.plot(*zip(*points, strict=True), linewidth=0.8, label=f"allocator, {phase}")
    anchor = {n: phases["total"] for n, phases in zip(sizes, took, strict=True)}.get(100_000)
    if anchor is not None:
        ends = [100_000, max(sizes)]
        axes.plot(ends, [anchor * n / 100_000 for n in ends], ":", color="0.4", label="proportional growth")


def _peers(axes: Axes, races: Sequence[Mapping[str, Any]]) -> None:
    """A mark a peer and size, where it found an allocation."""
    times: dict[str, list[tuple[int, float]]] = {}
    for race in races:
        for peer in race["peers"]:
            if peer.get("funded"):
                times.setdefault(peer["what"], []).append((race["size"], peer["seconds"]["total"]))
    for (what, points), mark in zip(times.items(), "sD^vP*X", strict=False):
        axes.plot(*zip(*sorted(points), strict=True), mark, markersize=5, alpha=0.8, label=what)
