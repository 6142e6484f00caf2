"""The plain version: the network and its inner step written out in JAX, and differentiated by it. For checks."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

from numeric_check.network.descent import Array, Tasks
from numeric_check.network.relu import Weights
from numeric_check.problem.impossible import Impossible

MISSING = "JAX is not installed: pip install 'negative-rates-living-edition[nn]'"


def meta_gradient(weights: Weights, tasks: Tasks, y_new: Array, rate: float) -> tuple[float, Weights]:
    """As `descent.meta_gradient`, in 64 bits; raises Impossible where JAX is not installed."""
    if find_spec("jax") is None:
        raise Impossible(MISSING)
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def output(w: Any, x: Any) -> Any:
        hidden = jax.nn.relu(x @ w[0].T + w[1])
        return jax.nn.relu(hidden @ w[2].T + w[3]) @ w[4] + w[5]

    def inner_loss(w: Any, x: Any, y: Any) -> Any:
        return 0.5 * jnp.mean((output(w, x) - y) ** 2)

    def task_loss(w: Any, x: Any, y: Any, x_new: Any, y_new: Any) -> Any:
        step = jax.grad(inner_loss)(w, x, y)
        return inner_loss(jax.tree.map(lambda a, g: a - rate * g, w, step), x_new, y_new)

    def meta_loss(w: Any) -> Any:
        return jnp.mean(jax.vmap(task_loss, (None, 0, 0, 0, 0))(w, *tasks, y_new))

    loss, gradient = jax.value_and_grad(meta_loss)(list(weights))
    return float(loss), Weights(*(np.asarray(part) for part in gradient))
