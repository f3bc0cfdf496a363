"""The catalogue: metrics, layers, holdouts and segments."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from flask import request

from experiments import eligibility, registry
from experiments.definition import HoldoutDraft, LayerDraft, SegmentDraft, store_form
from experiments.errors import InvalidInput, NotFound, Outdated
from experiments.fields import Draft
from experiments.metrics import MetricDraft
from experiments.registry import Change, Metric
from web.api.door import Asking, serves
from web.api.replies import Page, Reply, page_of


class Keyed(Protocol):
    """A definition with a key."""

    @property
    def key(self) -> str:
        """Its permanent key."""


@serves("list_metrics")
def list_metrics(asking: Asking, wanted: Page) -> Reply:
    """All metrics in their newest versions."""
    found = registry.list_metrics(session=asking.session)
    return page_of(found, wanted, name="metrics", place=lambda each: [each.key], shown=_shown_metric)


@serves("show_metric")
def show_metric(asking: Asking, key: str) -> Reply:
    """One metric in its newest version."""
    found = registry.find_metrics(session=asking.session, keys=[key])[key]
    return Reply(_shown_metric(found), etag=str(found.version))


@serves("save_metric")
def save_metric(asking: Asking, key: str, draft: MetricDraft) -> Reply:
    """A metric, new or changed."""
    _require_key(key, draft)
    change = registry.save_metric(draft=draft, version=asking.revision, **asking.terms)
    found = registry.find_metrics(session=asking.session, keys=[key])[key]
    return Reply(_shown_metric(found), _status(change), etag=str(found.version))


@serves("list_layers")
def list_layers(asking: Asking, wanted: Page) -> Reply:
    """All layers."""
    found = [each.definition for each in eligibility.list_layers(session=asking.session)]
    return page_of(
        found,
        wanted,
        name="layers",
        place=lambda each: [each.key],
        shown=lambda each: _shown_layer(asking, each),
    )


@serves("show_layer")
def show_layer(asking: Asking, key: str) -> Reply:
    """One layer, with what is taken of it."""
    found = _found(_layers(asking), key, "layer")
    return Reply(_shown_layer(asking, found), etag=_version(found))


@serves("save_layer")
def save_layer(asking: Asking, key: str, draft: LayerDraft) -> Reply:
    """A layer, new or changed."""
    _require_key(key, draft)
    _require_unchanged(_layers(asking), key)
    change = eligibility.save_layer(draft=draft, **asking.terms)
    return Reply(_shown_layer(asking, draft), _status(change), etag=_version(draft))


@serves("list_holdouts")
def list_holdouts(asking: Asking, wanted: Page) -> Reply:
    """All holdouts."""
    return page_of(_holdouts(asking), wanted, name="holdouts", place=lambda each: [each.key], shown=_shown)


@serves("show_holdout")
def show_holdout(asking: Asking, key: str) -> Reply:
    """One holdout."""
    found = _found(_holdouts(asking), key, "holdout")
    return Reply(_shown(found), etag=_version(found))


@serves("save_holdout")
def save_holdout(asking: Asking, key: str, draft: HoldoutDraft) -> Reply:
    """A holdout, new or changed."""
    _require_key(key, draft)
    _require_unchanged(_holdouts(asking), key)
    change = eligibility.save_holdout(draft=draft, **asking.terms)
    return Reply(_shown(draft), _status(change), etag=_version(draft))


@serves("list_segments")
def list_segments(asking: Asking, wanted: Page) -> Reply:
    """All segments."""
    found = eligibility.list_segments(session=asking.session)
    return page_of(found, wanted, name="segments", place=lambda each: [each.key], shown=_shown)


@serves("show_segment")
def show_segment(asking: Asking, key: str) -> Reply:
    """One segment."""
    found = _found(eligibility.list_segments(session=asking.session), key, "segment")
    return Reply(_shown(found), etag=_version(found))


@serves("save_segment")
def save_segment(asking: Asking, key: str, draft: SegmentDraft) -> Reply:
    """A segment, new or changed."""
    _require_key(key, draft)
    _require_unchanged(eligibility.list_segments(session=asking.session), key)
    change = eligibility.save_segment(draft=draft, **asking.terms)
    return Reply(_shown(draft), _status(change), etag=_version(draft))


def _layers(asking: Asking) -> list[LayerDraft]:
    return [each.definition for each in eligibility.list_layers(session=asking.session)]


def _holdouts(asking: Asking) -> list[HoldoutDraft]:
    return [each.definition for each in eligibility.list_holdouts(session=asking.session)]


def _found(drafts: Sequence[Any], key: str, kind: str) -> Any:
    for draft in drafts:
        if draft.key == key:
            return draft
    raise NotFound(f"there is no {kind} {key!r}")


def _require_key(key: str, draft: Keyed) -> None:
    if draft.key != key:
        raise InvalidInput.at("key", f"keys are permanent; this one is {key}")


def _require_unchanged(drafts: Sequence[Any], key: str) -> None:
    """Refuse to overwrite what is no longer what was seen; these definitions are their own versions."""
    seen = request.headers.get("If-Match", "*").strip()
    held = next((_version(each) for each in drafts if each.key == key), "")
    if seen not in ("*", f'"{held}"', held):
        raise Outdated(f"{key} was changed by somebody else in the meantime; reload to see it")


def _version(draft: Draft) -> str:
    return hashlib.sha256(store_form(draft).encode()).hexdigest()[:16]


def _status(change: Change) -> int:
    return 201 if change.action == "created" else 200


def _shown(draft: Draft) -> Mapping[str, Any]:
    return {"definition": draft.model_dump(mode="json")}


def _shown_metric(metric: Metric) -> Mapping[str, Any]:
    return {**_shown(metric.definition), "version": metric.version}


def _shown_layer(asking: Asking, draft: LayerDraft) -> Mapping[str, Any]:
    taken = eligibility.slots_taken(session=asking.session, layer=draft.key)
    slots = [{"start": start, "end": end, "experiment": experiment} for start, end, experiment in taken]
    return {**_shown(draft), "slots_taken": slots}
