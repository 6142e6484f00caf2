"""`python -m derivations` is the command `derive`."""

from derivations.cli import run

if __name__ == "__main__":
    run()
