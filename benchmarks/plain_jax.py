"""The experiment as a user of JAX would write it: the inner loop differentiated by `jax.grad`, runs by `vmap` under `jit`.

For one inner and one adaptation step on Gaussian inputs, in 64 bits. Apart from the numbers of a setting and its means it
shares nothing with `numeric_check`: draws, gradients and the outer solution are those of JAX.
"""

import time
from importlib.util import find_spec
from typing import Any

import numpy as np

from numeric_check.draws.estimate import Estimate, Moments
from numeric_check.problem.samplers import means
from numeric_check.problem.setting import Setting

TASKS = 100


def installed() -> bool:
    """Whether JAX is there, the extra `[nn]`."""
    return find_spec("jax") is not None


def losses(setting: Setting, runs: int) -> Any:
    """A compiled function from a JAX random key to the test losses of so many runs."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    s, (omega_0, w_0) = setting, means(setting)
    root_x = np.eye(s.p) if s.Sigma is None else np.linalg.cholesky(s.Sigma)
    root_w = np.eye(s.p) * s.nu / np.sqrt(s.p) if s.Sigma_w is None else np.linalg.cholesky(s.Sigma_w)

    def data(key: Any, w: Any, n: int) -> Any:
        for_x, for_z = jax.random.split(key)
        x = jax.random.normal(for_x, (n, s.p)) @ root_x.T
        return x, x @ w + s.sigma * jax.random.normal(for_z, (n,))

    def task(key: Any, sizes: tuple[int, int]) -> Any:
        for_w, one, other = jax.random.split(key, 3)
        w = w_0 + root_w @ jax.random.normal(for_w, (s.p,))
        return data(one, w, sizes[0]), data(other, w, sizes[1])

    def loss(theta: Any, x: Any, y: Any) -> Any:
        return 0.5 * jnp.mean((x @ theta - y) ** 2)

    def adapt(omega: Any, points: Any, rate: float) -> Any:
        return omega - rate * jax.grad(loss)(omega, *points)

    def run(key: Any) -> Any:
        for_train, for_test = jax.random.split(key)
        train, validate = jax.vmap(lambda k: task(k, (s.n_t, s.n_v)))(jax.random.split(for_train, s.m))

        def residuals(omega: Any) -> Any:
            theta = jax.vmap(lambda points: adapt(omega, points, s.alpha_t))(train)
            return (jnp.einsum("inp,ip->in", validate[0], theta) - validate[1]).ravel()

        # least squares in omega, the solution nearest to the start
        slope = jax.jacobian(residuals)(jnp.asarray(omega_0))
        omega = omega_0 - jnp.linalg.pinv(slope) @ residuals(jnp.asarray(omega_0))

        def test(key: Any) -> Any:
            target, fresh = task(key, (s.n_r, s.n_s))
            return loss(adapt(omega, target, s.alpha_r), *fresh)

        return jnp.mean(jax.vmap(test)(jax.random.split(for_test, TASKS)))

    return jax.jit(lambda key: jax.vmap(run)(jax.random.split(key, runs)))


def timed(setting: Setting, seconds: float, runs: int = 1) -> tuple[Estimate, float]:
    """The mean loss from runs for about so many processor seconds, compiling excluded, and those seconds."""
    import jax

    function, found = losses(setting, runs), Moments()
    function(jax.random.key(0)).block_until_ready()
    started, batch = time.process_time(), 0
    while batch < 2 or time.process_time() - started < seconds:
        batch += 1
        found = found.merge(Moments.of(np.asarray(function(jax.random.key(batch)))))
    return found.estimate(), time.process_time() - started
