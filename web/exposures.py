"""Exposures on evaluation: recorded behind the answer, once per unit and variant, without a cost for repeats.

A small table of fingerprints remembers what this process has recorded lately. It never grows; a fingerprint
that was pushed out only costs one more row that the ledger recognises by its message id. A fingerprint may
lie in any of eight places, so that two units that always come in turn do not push each other out.
"""

import hashlib
from array import array
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from assignment import Decision, Detail, Rule
from experiments.intake import ANYTHING, Intake, written
from experiments.previews import PARAMETER
from experiments.store.instants import to_millis
from experiments.store.ledger import Exposure
from experiments.writing import LedgerWriter
from web.tally import Tally

_OURS = ("targetingKey", PARAMETER)
"""What clients tell us beside the attributes of a unit."""

_PLACES = 8
_SHELVES = 1 << 16
_WORD = (1 << 64) - 1


class ExposureLog:
    """Hands new exposures to the ledger's writer."""

    def __init__(
        self,
        writer: LedgerWriter,
        now: Callable[[], datetime],
        tally: Tally,
        intake: Callable[[], Intake] = lambda: ANYTHING,
    ) -> None:
        self._writer = writer
        self._now = now
        self._tally = tally
        self._intake = intake
        self._recent = array("Q", bytes(8 * _PLACES * _SHELVES))

    def record(self, rule: Rule, decision: Decision, unit: str, attributes: Mapping[str, Any]) -> bool:
        """Record that a unit met its variant, unless this process did so lately.

        Returns
        -------
        bool
            Whether it was handed to the writer, which keeps it until it is stored. When the writer has no
            room, the exposure is forgotten here, so the unit's next evaluation tries again.
        """
        fingerprint = hash((decision.key, decision.phase, decision.variant, unit)) & _WORD
        shelf = fingerprint % _SHELVES * _PLACES
        if fingerprint in self._recent[shelf : shelf + _PLACES]:
            return False
        self._remember(fingerprint, shelf)
        intake = self._intake()
        facts = {name: value for name, value in attributes.items() if name not in _OURS}
        record = _exposure(rule, decision, unit, facts, to_millis(self._now()), intake)
        taken = self._writer.offer((intake.take(record, facts)[0],))
        if not taken:
            self._forget(fingerprint, shelf)
        self._tally.add("exposures", "queued" if taken else "no_room")
        return taken

    def _remember(self, fingerprint: int, shelf: int) -> None:
        """Put a fingerprint on its shelf in place of the oldest there."""
        end = shelf + _PLACES
        self._recent[shelf:end] = array("Q", [fingerprint]) + self._recent[shelf : end - 1]

    def _forget(self, fingerprint: int, shelf: int) -> None:
        for place in range(shelf, shelf + _PLACES):
            if self._recent[place] == fingerprint:
                self._recent[place] = 0


def exposure_id(decision: Decision, unit: str) -> str:
    """The message id of a unit's exposure to a variant: only the first one of a phase is ever stored."""
    spoken = f"{decision.key}\0{decision.phase}\0{decision.variant}\0{unit}"
    return f"x-{hashlib.blake2b(spoken.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


def _exposure(
    rule: Rule, decision: Decision, unit: str, facts: Mapping[str, Any], millis: int, intake: Intake
) -> Exposure:
    spoken = unit if intake.pseudonyms is None else intake.pseudonyms.name(unit)
    return Exposure(
        message_id=exposure_id(decision, spoken),
        experiment=rule.key,
        user_id=unit if rule.unit_type == "user_id" else None,
        anonymous_id=unit if rule.unit_type == "anonymous_id" else None,
        variant=decision.variant or "",
        occurred_at=millis,
        received_at=millis,
        attributes=written(facts),
        mark="override" if decision.detail is Detail.OVERRIDE else None,
    )
