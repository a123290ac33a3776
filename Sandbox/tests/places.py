# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""Where the scripts under test lie."""

import importlib.machinery
import importlib.util
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


def script(name):
    """A Python script without a suffix, as a module."""
    loader = importlib.machinery.SourceFileLoader(
        name.replace("-", "_"), str(TOP / "Scripts" / name)
    )
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module
