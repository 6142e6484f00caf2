"""What a step is; the contents in reading order; orders, signs and plain draws that steps share.

Called, as in `derivations.steps()`, it gives the names of all steps.
"""

import sys
from types import ModuleType


class _Steps(ModuleType):
    def __call__(self) -> list[str]:
        """The names of all steps, in reading order."""
        from derivations.steps.contents import MODULE_OF

        return list(MODULE_OF)


sys.modules[__name__].__class__ = _Steps
