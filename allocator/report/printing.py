"""What is printed: PDF and PNG, set by typst from its own markup; the only place that knows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from allocator.extras import require

_PIXELS = 144.0
"""An inch of a PNG."""


def printed(markup: str, inputs: Mapping[str, str], ending: str) -> bytes:
    """`markup` with its `inputs` as a `.pdf` or a `.png`; the same of both gives the same bytes.

    Raises InputError where the extra `pdf` is not installed.
    """
    require("pdf")
    import typst

    kind: Literal["png", "pdf"] = "png" if ending == ".png" else "pdf"
    return typst.compile(markup.encode("utf-8"), format=kind, ppi=_PIXELS, sys_inputs=dict(inputs))
