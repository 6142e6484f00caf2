"""The small figure of the experiments, drawn in a store of its own."""

from tests.derivations.paper.experiments.conftest import _own_store, _tiny

__all__ = ["_own_store", "_tiny"]
