"""The table of operations: every method of every door for programs.

OpenAPI and the page at ``/api`` are made from it, and the door of management serves by it: who may come in,
what is read from the query and the body, which method and path. A test compares the rest with the routes.
"""

from web.api.operation import Operation
from web.api.operations.administration import ADMINISTRATION
from web.api.operations.catalogue import CATALOGUE
from web.api.operations.data import DATA
from web.api.operations.doors import DOORS, OPENAPI
from web.api.operations.experiments import EXPERIMENTS
from web.api.operations.outcomes import OUTCOMES
from web.api.operations.readouts import READOUTS

GROUPS: tuple[tuple[str, tuple[Operation, ...]], ...] = (
    ("Assignment, events and health", (*DOORS, OPENAPI)),
    ("Experiments", EXPERIMENTS),
    ("Readouts", READOUTS),
    ("Decisions and what came of them", OUTCOMES),
    ("What experiments stand on", CATALOGUE),
    ("Data", DATA),
    ("Administration", ADMINISTRATION),
)
"""The operations by what they are about."""

OPERATIONS = tuple(operation for _, group in GROUPS for operation in group)
