"""Operations on what experiments stand on: metrics, layers, holdouts and segments."""

from collections.abc import Mapping
from typing import Any

from experiments.definition import HoldoutDraft, LayerDraft, SegmentDraft
from experiments.fields import Draft
from experiments.metrics import MetricDraft
from experiments.roles import Scope
from web.api.operation import Operation, managed
from web.api.replies import Page

_KINDS: tuple[tuple[str, type[Draft], str, Mapping[str, Any], Mapping[str, Any]], ...] = (
    (
        "metric",
        MetricDraft,
        "A changed definition becomes the next version; readouts keep the one that they were made with.",
        {"key": "paid", "name": "Paid", "kind": "proportion", "event": "Order Completed", "window": "14d"},
        {"version": 2},
    ),
    (
        "layer",
        LayerDraft,
        "Experiments in one layer exclude each other. Its salt is made once.",
        {"key": "checkout_page", "name": "The checkout page"},
        {"slots_taken": [{"start": 0, "end": 5_000, "experiment": "checkout"}]},
    ),
    (
        "holdout",
        HoldoutDraft,
        "Its share, in basis points, stays while an experiment that has started honours it.",
        {"key": "spring", "name": "Spring holdout", "share": 500},
        {},
    ),
    (
        "segment",
        SegmentDraft,
        "Its condition stays while an experiment that has started stands on it.",
        {
            "key": "nordic",
            "name": "Nordic countries",
            "condition": {"attribute": "country", "operator": "in", "value": ["NO", "SE"]},
        },
        {},
    ),
)


def _operations(
    kind: str, draft: type[Draft], detail: str, body: Mapping[str, Any], more: Mapping[str, Any]
) -> tuple[Operation, ...]:
    path, shown = f"/{kind}s", {"definition": dict(body), **more}
    held = {201: "It is new.", 409: "A running experiment stands on it as it is."}
    return (
        managed(
            f"GET {path}",
            f"list_{kind}s",
            Scope.READ,
            f"List the {kind}s.",
            "By their keys.",
            query=Page,
            answer={f"{kind}s": [shown], "next": None},
        ),
        managed(f"GET {path}/{{key}}", f"show_{kind}", Scope.READ, f"Show a {kind}.", detail, answer=shown),
        managed(
            f"PUT {path}/{{key}}",
            f"save_{kind}",
            Scope.WRITE,
            f"Write a {kind} down, new or changed.",
            detail,
            draft=draft,
            body=body,
            answer=shown,
            guarded=True,
            statuses=held,
        ),
    )


CATALOGUE = tuple(operation for kind in _KINDS for operation in _operations(*kind))
