"""Experiments: writing them down, and their moves."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from experiments import approvals, audit, catalog, launch
from experiments.catalog import Experiment
from experiments.decisions import explain
from experiments.errors import InvalidInput
from experiments.legibility import list_illegible
from experiments.phases import Phase, list_phases
from experiments.storable import unstorable
from web.api.door import Asking, serves
from web.api.errors import BadQuery
from web.api.management.shapes import moment, shown_entry
from web.api.orders import (
    CloneOrder,
    EditOptions,
    ExperimentBody,
    ExperimentFilter,
    MoveOrder,
    PreviewOptions,
    StartOrder,
    UnitQuestion,
)
from web.api.replies import Page, Place, Reply, cursor_id, listed, page_of
from web.deployment import current


@serves("list_experiments")
def list_experiments(asking: Asking, wanted: ExperimentFilter) -> Reply:
    """The experiments that are wanted, the newest first, and the definitions that cannot be read."""
    illegible = [str(each) for each in list_illegible(session=asking.session)]
    found = catalog.list_experiments(
        session=asking.session, status=wanted.status, text=wanted.q, owner=wanted.owner, tag=wanted.tag
    )
    page = page_of(found, wanted, name="experiments", place=_place, shown=_shown)
    return replace(page, document={**page.document, "illegible": illegible})


@serves("create_experiment")
def create_experiment(asking: Asking, draft: ExperimentBody) -> Reply:
    """A new draft."""
    return _created(catalog.create_experiment(draft=draft, **asking.terms))


@serves("show_experiment")
def show_experiment(asking: Asking, key: str) -> Reply:
    """One experiment."""
    return _reply(catalog.find_experiment(session=asking.session, key=key))


@serves("replace_experiment")
def replace_experiment(asking: Asking, key: str, draft: ExperimentBody, wanted: EditOptions) -> Reply:
    """Its definition, changed."""
    if draft.key != key:
        raise InvalidInput.at("key", f"keys are permanent; this one is {key}")
    edited = launch.edit(draft=draft, revision=asking.revision, new_phase=wanted.new_phase, **asking.terms)
    return _reply(edited)


@serves("clone_experiment")
def clone_experiment(asking: Asking, key: str, draft: CloneOrder) -> Reply:
    """A new draft that asks the same."""
    return _created(catalog.clone_experiment(key=key, copy=draft.key, name=draft.name, **asking.terms))


@serves("submit_experiment")
def submit_experiment(asking: Asking, key: str, draft: MoveOrder) -> Reply:  # noqa: ARG001 - nothing more is said
    """Hand it over for review."""
    return _reply(launch.submit(key=key, revision=asking.revision, **asking.terms))


@serves("approve_experiment")
def approve_experiment(asking: Asking, key: str, draft: MoveOrder) -> Reply:  # noqa: ARG001 - as above
    """Say yes to it as it stands."""
    given = approvals.approve(key=key, revision=asking.revision, **asking.terms)
    at, until = moment(given.approved_at), moment(given.expires_at)
    return Reply({"approver": given.approver, "approved_at": at, "expires_at": until})


@serves("start_experiment")
def start_experiment(asking: Asking, key: str, draft: StartOrder) -> Reply:
    """Start it, or go on with it."""
    started = launch.start(key=key, revision=asking.revision, new_phase=draft.new_phase, **asking.terms)
    return _reply(started)


@serves("cancel_start")
def cancel_start(asking: Asking, key: str, draft: MoveOrder) -> Reply:  # noqa: ARG001 - as above
    """Take its start back."""
    return _reply(launch.cancel(key=key, revision=asking.revision, **asking.terms))


@serves("stop_experiment")
def stop_experiment(asking: Asking, key: str, draft: MoveOrder) -> Reply:  # noqa: ARG001 - as above
    """Stop it."""
    return _reply(launch.stop(key=key, revision=asking.revision, **asking.terms))


@serves("archive_experiment")
def archive_experiment(asking: Asking, key: str, draft: MoveOrder) -> Reply:  # noqa: ARG001 - as above
    """Put it away."""
    return _reply(launch.archive(key=key, revision=asking.revision, **asking.terms))


@serves("list_phases")
def show_phases(asking: Asking, key: str, wanted: Page) -> Reply:
    """Its phases, the newest first."""
    catalog.find_experiment(session=asking.session, key=key)
    found = list_phases(session=asking.session, key=key)
    return page_of(found, wanted, name="phases", place=lambda each: [-each.number], shown=_shown_phase)


@serves("list_history")
def show_history(asking: Asking, key: str, wanted: Page) -> Reply:
    """What was done to it, the newest first."""
    catalog.find_experiment(session=asking.session, key=key)
    below = cursor_id(wanted, "changes")
    found = audit.list_entries(
        session=asking.session, wanted=audit.AuditFilter(object=key), limit=wanted.limit + 1, below=below
    )
    return listed(found, wanted, name="changes", place=lambda each: [each.id], shown=shown_entry)


@serves("list_previews")
def list_previews(asking: Asking, key: str, wanted: PreviewOptions) -> Reply:
    """A link for each variant."""
    desk = current().previews
    links = desk.links(session=asking.session, key=key, page=wanted.page, days=wanted.days)
    return Reply({"previews": [each.to_json() for each in links]})


@serves("explain_decision")
def explain_decision(asking: Asking, key: str, wanted: UnitQuestion) -> Reply:
    """What a unit gets, and why."""
    known = _attributes(wanted.attributes)
    decision = explain(session=asking.session, key=key, unit=wanted.unit, attributes=known)
    named = ("key", "variant", "value", "detail", "in_experiment", "bucket", "phase", "ruleset")
    return Reply({"unit": wanted.unit, **{name: getattr(decision, name) for name in named}})


def _created(experiment: Experiment) -> Reply:
    where = f"/api/v1/experiments/{experiment.key}"
    return Reply(_shown(experiment), 201, etag=str(experiment.revision), location=where)


def _reply(experiment: Experiment) -> Reply:
    return Reply(_shown(experiment), etag=str(experiment.revision))


def _place(experiment: Experiment) -> Place:
    return [-round(experiment.created_at.timestamp() * 1_000), experiment.key]


def _shown(experiment: Experiment) -> dict[str, Any]:
    definition = experiment.definition
    return {
        "key": experiment.key,
        "name": definition.name,
        "status": experiment.status,
        "phase": experiment.phase,
        "revision": experiment.revision,
        "owner": definition.owner,
        "tags": definition.tags,
        "shipped": experiment.shipped,
        "created_at": moment(experiment.created_at),
        "updated_at": moment(experiment.updated_at),
        "started_at": moment(experiment.started_at),
        "stopped_at": moment(experiment.stopped_at),
        "analysis_asked_at": moment(experiment.analysis_asked_at),
        "definition": definition.model_dump(mode="json", exclude={"status"}),
    }


def _shown_phase(phase: Phase) -> dict[str, Any]:
    return {
        "number": phase.number,
        "started_at": moment(phase.started_at),
        "stopped_at": moment(phase.stopped_at),
        "holdouts": phase.holdouts,
        "definition": phase.definition.model_dump(mode="json", exclude={"status"}),
    }


def _attributes(text: str) -> Mapping[str, Any]:
    try:
        attributes = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise BadQuery.at("attributes", "not JSON") from problem
    if not isinstance(attributes, dict):
        raise BadQuery.at("attributes", "expected a JSON object")
    if reason := unstorable(attributes):
        raise BadQuery.at("attributes", reason)
    return attributes
