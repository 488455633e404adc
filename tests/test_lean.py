"""Stand-ins hold a place for the time of an import, and no longer."""

from __future__ import annotations

import subprocess
import sys

from allocator.lean import without

PROGRAM = """
import sys
import allocator.pipeline
print([name for name in ("numpy.f2py", "numpy.testing", "unittest", "scipy.special") if name in sys.modules])
import numpy.f2py, numpy.testing, scipy.stats
print(numpy.f2py.__name__, numpy.testing.assert_equal(1, 1), scipy.stats.norm.cdf(0.0))
"""


def test_a_run_starts_without_what_it_does_not_need_and_others_get_the_real_packages() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "numpy.f2py None 0.5"]


def test_what_is_imported_already_has_no_stand_in() -> None:
    import json.decoder

    with without(("json.decoder", "json.tool")):
        assert sys.modules["json.decoder"] is json.decoder
        assert not vars(sys.modules["json.tool"]).get("main")
    assert "json.tool" not in sys.modules
    assert not hasattr(json, "tool")
