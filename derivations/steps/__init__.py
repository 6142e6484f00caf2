"""What a step is; the contents in reading order; orders, signs and plain draws that steps share.

Called, as in `derivations.steps()`, it gives the names of all steps.
"""

import importlib
import sys
from types import ModuleType


class _Steps(ModuleType):
    def __call__(self) -> list[str]:
        """The names of all steps, in reading order."""
        # named, not imported: the result of a step does not depend on the contents
        return list(importlib.import_module(f"{__name__}.contents").MODULE_OF)


sys.modules[__name__].__class__ = _Steps
