"""Exposures on evaluation: recorded behind the answer, once per unit and variant, without a cost for repeats.

A small table of fingerprints remembers what this process has recorded lately. It never grows; a fingerprint
that was pushed out only costs one more row that the ledger recognises by its message id.
"""

import hashlib
import json
from array import array
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from assignment import Decision, Detail, Rule
from experiments.intake import ANYTHING, Intake
from experiments.store.instants import to_millis
from experiments.store.ledger import Exposure
from experiments.writing import LedgerWriter
from web.tally import Tally

_SLOTS = 1 << 17
_MASK = _SLOTS - 1
_WORD = (1 << 64) - 1
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


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
        self._recent = array("Q", bytes(8 * _SLOTS))

    def record(self, rule: Rule, decision: Decision, unit: str, attributes: Mapping[str, Any]) -> bool:
        """Record that a unit met its variant, unless this process did so lately.

        Returns
        -------
        bool
            Whether it was handed to the writer, which keeps it until it is stored. When the writer has no
            room, the exposure is forgotten here, so the unit's next evaluation tries again.
        """
        fingerprint = hash((decision.key, decision.phase, decision.variant, unit)) & _WORD
        slot = fingerprint & _MASK
        if self._recent[slot] == fingerprint:
            return False
        self._recent[slot] = fingerprint
        intake = self._intake()
        record = _exposure(rule, decision, unit, attributes, to_millis(self._now()), intake)
        taken = self._writer.offer((intake.take(record)[0],))
        if not taken:
            self._forget(slot)
        self._tally.add("exposures", "queued" if taken else "no_room")
        return taken

    def _forget(self, slot: int) -> None:
        self._recent[slot] = 0


def exposure_id(decision: Decision, unit: str) -> str:
    """The message id of a unit's exposure to a variant: only the first one of a phase is ever stored."""
    spoken = f"{decision.key}\0{decision.phase}\0{decision.variant}\0{unit}"
    return f"x-{hashlib.blake2b(spoken.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


def _exposure(
    rule: Rule, decision: Decision, unit: str, attributes: Mapping[str, Any], millis: int, intake: Intake
) -> Exposure:
    facts = {name: value for name, value in attributes.items() if name != "targetingKey"}
    spoken = unit if intake.pseudonyms is None else intake.pseudonyms.name(unit)
    return Exposure(
        message_id=exposure_id(decision, spoken),
        experiment=rule.key,
        user_id=unit if rule.unit_type == "user_id" else None,
        anonymous_id=unit if rule.unit_type == "anonymous_id" else None,
        variant=decision.variant or "",
        occurred_at=millis,
        received_at=millis,
        attributes=_encoder.encode(facts) if facts else None,
        mark="override" if decision.detail is Detail.OVERRIDE else None,
    )
