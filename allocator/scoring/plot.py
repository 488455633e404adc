"""A reliability plot as a small SVG, so that a card can show it without a library."""

from __future__ import annotations

import pandas as pd

SIZE, MARGIN = 360, 48


def reliability_svg(table: pd.DataFrame, title: str) -> str:
    """Observed default rate with its interval over predicted PD, a point a bin of `reliability`."""
    top = max(float(table["high"].max()), float(table["predicted"].max()), 1e-6)

    def x(value: float) -> float:
        return MARGIN + (SIZE - 2 * MARGIN) * value / top

    def y(value: float) -> float:
        return SIZE - MARGIN - (SIZE - 2 * MARGIN) * value / top

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" role="img" '
        f'font-family="sans-serif" font-size="11">',
        f"<title>{title}</title>",
        f'<rect width="{SIZE}" height="{SIZE}" fill="white"/>',
        f'<path d="M{x(0):.1f} {y(top):.1f}V{y(0):.1f}H{x(top):.1f}" fill="none" stroke="#444"/>',
        f'<path d="M{x(0):.1f} {y(0):.1f}L{x(top):.1f} {y(top):.1f}" stroke="#999" stroke-dasharray="4"/>',
    ]
    columns = (table[name].astype(float) for name in ("predicted", "observed", "low", "high"))
    for predicted, observed, low, high in zip(*columns, strict=True):
        at = x(predicted)
        parts.append(f'<path d="M{at:.1f} {y(low):.1f}V{y(high):.1f}" stroke="#357"/>')
        parts.append(f'<circle cx="{at:.1f}" cy="{y(observed):.1f}" r="3.5" fill="#357"/>')
    parts += [
        f'<text x="{SIZE / 2}" y="{SIZE - 14}" text-anchor="middle">predicted PD</text>',
        f'<text x="14" y="{SIZE / 2}" text-anchor="middle" '
        f'transform="rotate(-90 14 {SIZE / 2})">observed default rate</text>',
        f'<text x="{x(top):.1f}" y="{y(0) + 14:.1f}" text-anchor="end">{top:.1%}</text>',
        f'<text x="{SIZE / 2}" y="24" text-anchor="middle">{title}</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"
