# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""Where the modules under test lie; import this before them."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
for folder in ("Sandbox", "Sandbox/suites"):
    sys.path.insert(0, str(TOP / folder))


def script(name):
    """A Python script without a suffix, as a module."""
    loader = importlib.machinery.SourceFileLoader(
        name.replace("-", "_"), str(TOP / "Scripts" / name)
    )
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module
