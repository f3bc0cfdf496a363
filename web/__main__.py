"""``python -m web`` is the command line, for processes that start each other."""

from web.cli import main

if __name__ == "__main__":
    main()
