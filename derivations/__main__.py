"""`python -m derivations` is the command `derive`."""

from derivations.command.cli import run

if __name__ == "__main__":
    run()
