"""Outlook: what a form's numbers come to, from the past of its metrics, its audience and its layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis import InvalidInput as WrongInput
from analysis.power import Design
from experiments.allotment import Allotment, allotments
from experiments.audience import Audience, estimate_audience
from experiments.errors import InvalidInput
from experiments.pasts import Past, find_pasts
from experiments.planning import Ask, Outlook, look_ahead
from experiments.store import Session
from web.pages.drafting import targeting_of
from web.pages.form import Form
from web.pages.typed import read_number

ROWS = 4
"""Weeks of the table that people trade off on."""

_INFERENCES = {"": "sequential", "bayesian": "fixed"}
"""How a form's choice is sized: Bayesian intervals have the length of those of a fixed look."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All of it.

    Attributes
    ----------
    goal
        Key of the first primary metric; empty before one is chosen.
    missing
        Why there is no outlook: ``no_goal``, ``no_past``, ``no_change``, ``no_lift`` or ``impossible``.
    """

    pasts: Mapping[str, Past]
    goal: str = ""
    audience: Audience | None = None
    outlook: Outlook | None = None
    missing: str = ""
    layers: Sequence[Allotment] = ()
    share: float = 1.0
    daily_units: float = 0.0

    @property
    def layer_choices(self) -> list[tuple[str, str]]:
        """Key and words of every layer, for a select box."""
        layers = (found.layer.definition for found in self.layers)
        return [(layer.key, layer.name or layer.key) for layer in layers]


def look_around(*, session: Session, form: Form) -> Surroundings:
    """Gather what a form's numbers are judged by."""
    unit = form.texts["unit"] or "user_id"
    pasts = find_pasts(session=session, unit_type=unit)
    goal = next((key for key, role in form.roles.items() if role == "primary"), "")
    audience = _audience(session, form, unit)
    share = _share(form, audience)
    past = pasts.get(goal)
    outlook, missing = _outlook(form, past, share) if goal else (None, "no_goal")
    return Surroundings(
        pasts=pasts,
        goal=goal,
        audience=audience,
        outlook=outlook,
        missing=missing,
        layers=allotments(session=session),
        share=share,
        daily_units=past.daily_units if past else 0.0,
    )


def _audience(session: Session, form: Form, unit: str) -> Audience | None:
    try:
        targeting = targeting_of(form)
        return estimate_audience(session=session, targeting=targeting, unit_type=unit) if targeting else None
    except (InvalidInput, ValueError, KeyError):
        return None


def _share(form: Form, audience: Audience | None) -> float:
    """Of all units, those that may take part."""
    traffic = _of_hundred(form.texts["traffic"], 100)
    slot = 1.0
    if form.texts["layer"]:
        slot = max(0.0, _of_hundred(form.texts["slot_to"], 100) - _of_hundred(form.texts["slot_from"], 0))
    matching = audience.share if audience is not None else None
    return min(1.0, traffic * slot * (1.0 if matching is None else matching))


def _outlook(form: Form, past: Past | None, share: float) -> tuple[Outlook | None, str]:
    if past is None or past.mean is None or past.variance is None:
        return None, "no_past"
    lift = _of_hundred(form.texts["mde"], 0)
    if not lift:
        return None, "no_change"
    try:
        ask = Ask(past.mean, past.variance, lift, past.daily_units, _design(form), share=share, weeks=ROWS)
        return look_ahead(ask), ""
    except (InvalidInput, WrongInput):
        return None, "no_lift" if not past.mean or not past.variance else "impossible"


def _design(form: Form) -> Design:
    roles = list(form.roles.values())
    inference = form.texts["inference"]
    return Design(
        weights=_weights(form),
        confidence=_of_hundred(form.texts["confidence"], 95),
        power=_of_hundred(form.texts["power"], 80),
        inference=_INFERENCES.get(inference, inference),
        metrics=max(1, roles.count("primary")),
        guardrails=roles.count("guardrail"),
    )


def _weights(form: Form) -> tuple[float, ...]:
    """Weights with the control's first."""
    lines = [(each.key.strip(), _number(each.weight, 1.0)) for _, each in form.named_variants]
    control = form.texts["control"].strip()
    ordered = sorted(lines, key=lambda line: line[0] != control)
    return tuple(weight for _, weight in ordered if weight > 0)


def _of_hundred(text: str, default: float) -> float:
    return _number(text, default) / 100


def _number(text: str, default: float) -> float:
    """A number from 0, or the default where none was typed: the form itself says what is wrong."""
    number = read_number(text)
    return default if number is None or number < 0 else number
