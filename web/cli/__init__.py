"""The command line: every command with ``--help``, clear errors and exit codes.

Exit codes: 0 done; 1 refused, with one line that says why; 2 used wrongly.
"""

from web.cli.root import main

__all__ = ["main"]
