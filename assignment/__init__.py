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
- What exists is valid. Documents are checked for types as they are read (`assignment.reading`), and a rule, a
  condition and a ruleset check their own meaning when they are made. So `decide` checks nothing and cannot
  fail, and one broken rule is left out of a ruleset and named in ``broken`` while the others go on. A rule
  that leans on a broken layer, holdout or segment is broken too: ignoring a holdout would be worse.
- Targeting offers only what clients in Python and JavaScript evaluate alike. Where the two disagree about
  types (JavaScript compares null as 0), the condition that we send them names the type that it needs; where
  no wording makes them agree (whole numbers beyond 2^53, half a surrogate pair, versions that are none,
  names that every JavaScript object has), the condition is refused when it is written.
- A dotted attribute name is a path through objects. Lists are not looked into, and the unit's own id is no
  attribute: an override names a unit.
- Saved segments stay references in the ruleset, so that an edit shows as one change, and are bounded in what
  they unfold to. Clients get them unfolded, because old ones do not know references.
- Overrides never leave the server: the payload for clients is public, and they are ids of people. See
  `assignment.growthbook` for what else becomes what there.
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
