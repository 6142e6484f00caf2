"""`python -m derivations` is the command `derive`: it meets an interrupt while the libraries load, too."""

import os
from typing import NoReturn


def run() -> NoReturn:
    """The command as a process."""
    try:
        from derivations.command.cli import run as command

        command()
    except KeyboardInterrupt:
        os.write(2, b"derive: interrupted\n")
        os._exit(130)


if __name__ == "__main__":
    run()
