"""Who gets what: the room that assigns units to variants.

Here live the hash, the allocation of buckets, layers, holdouts, targeting, the published `Ruleset` and the
`Decision`. Here never live a database, an HTTP request, a clock, a file or a random number: all of that is
handed in, so a decision can be made, checked and repeated anywhere.

Decisions of this room
----------------------
- Integers decide. Weights, traffic and buckets are whole numbers, so no rounding of a float ever moves a unit
  and every implementation in every language agrees.
- The hash is the one that GrowthBook clients call version 2, so those clients evaluate our rules locally and
  agree with the server.
- A unit outside an experiment receives the control's value under the name ``excluded``. Clients log the
  variant that they are given, and a log that calls outsiders "control" biases every analysis.
- Only the standard library is imported, so the room can be copied into any process; `assignment.vector`,
  which works on arrays, is the one exception and is not imported here.
"""

from assignment.allocation import Range, allocate, overlaps
from assignment.decision import Decision, Detail, Reason, decide, decide_all
from assignment.hashing import BUCKETS, HASH_VERSION, bucket
from assignment.layers import Holdout, Layer, SlotConflict, slot_conflicts
from assignment.rule import EXCLUDED, Rule, State, Variant
from assignment.ruleset import Ruleset
from assignment.targeting import Condition, condition_from_json, condition_to_json, matches

__all__ = [
    "BUCKETS",
    "EXCLUDED",
    "HASH_VERSION",
    "Condition",
    "Decision",
    "Detail",
    "Holdout",
    "Layer",
    "Range",
    "Reason",
    "Rule",
    "Ruleset",
    "SlotConflict",
    "State",
    "Variant",
    "allocate",
    "bucket",
    "condition_from_json",
    "condition_to_json",
    "decide",
    "decide_all",
    "matches",
    "overlaps",
    "slot_conflicts",
]
