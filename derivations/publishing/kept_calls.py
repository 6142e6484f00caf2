"""What a call shows, in a cell or beside the pages, kept in the store by all that the call reaches, so that a page that runs again asks for it again.

A call reaches the modules that its function imports, and the steps that it looks up by name. Those it names beforehand: a call
that looks up a step of another module ends the build, as what it shows could become stale.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps

from derivations.publishing.pages import assumptions_in_force, beside
from derivations.steps import contents
from derivations.support import store
from derivations.support.sources import reached
from derivations.verification.verify import modules_of


class Unnamed(RuntimeError):
    """A call looked up a step by a name that it does not name beforehand."""


def kept(
    reads: Callable[..., Iterable[str]] = lambda *_: (),
) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """A function of plain words whose text is kept. reads: the names of the steps that it looks up, of the same arguments.

    What the steps named rest on may be looked up with them. Raises Unnamed, and keeps nothing, where any other is.
    """

    def keeping(function: Callable[..., str]) -> Callable[..., str]:
        @wraps(function)
        def asked(*words: str) -> str:
            found_by = {contents.slug_of(name) for name in reads(*words)}
            modules = [function.__module__, *sorted({m for name in found_by for m in modules_of(name)})]
            of = f"{function.__module__}.{function.__qualname__}"
            now = assumptions_in_force().changed()
            wanted = store.key("shown", modules, of=of, words=words, assumptions=now, **beside())
            document = store.load(wanted)
            if document is None:
                with contents.watched() as looked_up:
                    document = {"text": function(*words)}
                odd = looked_up - reached(modules)
                if odd:
                    raise Unnamed(
                        f"{of}{words} looks up steps of {', '.join(sorted(odd))}: name them in `kept`"
                    )
                store.save(wanted, document)
            return str(document["text"])

        return asked

    return keeping
