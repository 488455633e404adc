"""`python -m allocator` is the command `allocator`."""

from __future__ import annotations

import sys

from allocator.cli.main import main

sys.exit(main())
