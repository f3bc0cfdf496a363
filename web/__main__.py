"""Lets ``python -m web`` be the command line."""

from web.cli import main

if __name__ == "__main__":
    main()
