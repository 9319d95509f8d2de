"""``rnnbow``, or ``python -m rnnbow_widget``: the command line, which needs click."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from .command_line import rnnbow
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.exit("rnnbow needs click: pip install 'rnnbow_widget[cli]'")
    rnnbow(prog_name="rnnbow")


if __name__ == "__main__":
    main()
