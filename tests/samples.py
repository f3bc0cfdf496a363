"""Definitions and records that tests begin with; each test changes only what it is about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

from experiments import launch
from experiments.definition import Definitions, ExperimentDraft
from experiments.metrics import MetricDraft
from experiments.store import Store
from experiments.store.instants import to_millis
from experiments.store.ledger import Event, Exposure

NOW = datetime(2026, 3, 15, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def metric(key: str = "purchase", **changes: Any) -> dict[str, Any]:
    """A proportion metric of the event of its own name."""
    return {"key": key, "kind": "proportion", "event": key, **changes}


def experiment(key: str = "checkout", **changes: Any) -> dict[str, Any]:
    """A running experiment of two variants with one primary metric."""
    return {
        "key": key,
        "variants": [{"key": "old", "value": "v1"}, {"key": "new", "value": "v2"}],
        "control": "old",
        "status": "running",
        "metrics": {"primary": ["purchase"]},
        **changes,
    }


def definitions(*experiments: dict[str, Any], metrics: list[dict[str, Any]] | None = None) -> Definitions:
    """A file's worth of definitions; the default experiment and metric where none is given."""
    return Definitions.model_validate(
        {"metrics": metrics or [metric()], "experiments": list(experiments) or [experiment()]}
    )


def draft(key: str = "checkout", **changes: Any) -> ExperimentDraft:
    """One validated experiment."""
    return ExperimentDraft.model_validate(experiment(key, **changes))


def metric_draft(key: str = "purchase", **changes: Any) -> MetricDraft:
    """One validated metric."""
    return MetricDraft.model_validate(metric(key, **changes))


def apply(store: Store, *experiments: dict[str, Any], metrics: list[dict[str, Any]] | None = None) -> None:
    """Apply definitions to a store."""
    with store.write() as session:
        launch.apply(
            session=session, definitions=definitions(*experiments, metrics=metrics), actor="t", now=NOW
        )


def applied(session: Session, *experiments: dict[str, Any]) -> list[str]:
    """Apply definitions in a session and say what changed, as ``action key``."""
    changes = launch.apply(session=session, definitions=definitions(*experiments), actor="ada", now=NOW)
    return [f"{each.action} {each.key}" for each in changes]


def exposure(number: int = 1, **changes: Any) -> Exposure:
    """An exposure of user ``u<number>`` to ``new`` at noon."""
    at = to_millis(NOW)
    made = Exposure(f"x{number}", "checkout", f"u{number}", None, "new", at, at)
    return made._replace(**changes)


def event(number: int = 1, **changes: Any) -> Event:
    """A purchase by user ``u<number>`` at noon."""
    at = to_millis(NOW)
    made = Event(f"e{number}", f"u{number}", None, "purchase", None, at, at)
    return made._replace(**changes)
