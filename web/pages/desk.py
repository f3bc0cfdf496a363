"""The desk: what lies there while somebody types an experiment, and how it is kept and written down."""

import re
import secrets
import unicodedata
from dataclasses import dataclass, replace

from experiments import catalog, registry, sheets
from experiments.catalog import Experiment
from experiments.definition import ExperimentDraft
from experiments.errors import Conflict, InvalidInput, NotFound, Problem
from experiments.fields import KEY_PATTERN
from experiments.lifecycle import may_edit
from experiments.project import find_project
from experiments.sheets import Sheet
from experiments.store import Session
from web import deployment
from web.pages.asking import asker
from web.pages.drafting import draft_of
from web.pages.form import Form, form_of, form_with


@dataclass(frozen=True, slots=True)
class Desk:
    """What is on the desk while somebody types: the sheet's form, where it stands, and the experiment."""

    form: Form
    revision: int = 0
    experiment: Experiment | None = None
    author: str = ""
    outdated: bool = False

    @property
    def key(self) -> str:
        """The key that the sheet is kept under; empty before the first save."""
        return self.form.texts["key"]

    @property
    def started(self) -> bool:
        """Whether the experiment has left drafting."""
        return self.experiment is not None and not may_edit(self.experiment.status)


def new_form() -> Form:
    """The form before anything was typed: it begins with the project's plan, in its time zone."""
    with deployment.current().store.read() as session:
        project = find_project(session=session).definition
    return form_with(project.plan).with_texts(time_zone=project.time_zone)


def desk_for(key: str) -> Desk:
    """The sheet, or the experiment where nothing is typed yet.

    Raises
    ------
    NotFound
        If there is neither.
    """
    experiment = _standing(key)
    with deployment.current().store.read() as session:
        sheet = sheets.find_sheet(session=session, key=key)
        zone = find_project(session=session).definition.time_zone
    if sheet is not None:
        outdated = experiment is not None and experiment.revision != sheet.stands_on
        return Desk(Form.from_json(sheet.typed), sheet.revision, experiment, sheet.author, outdated)
    if experiment is None:
        raise NotFound(f"there is no experiment {key!r}")
    return Desk(form_of(experiment.definition, zone), 0, experiment)


def desk_of(sheet: Sheet, form: Form) -> Desk:
    """The desk after a save."""
    standing = _standing(sheet.key)
    outdated = standing is not None and standing.revision != sheet.stands_on
    return Desk(form, sheet.revision, standing, sheet.author, outdated and sheet.stands_on > 0)


def typed_over(desk: Desk, form: Form) -> Desk:
    """The desk with what was just sent, so that a refusal loses nothing.

    It carries the revision that is there now: who has read that somebody else was quicker, and saves again,
    means it.
    """
    return replace(desk, form=form)


def keep(session: Session, key: str, form: Form, *, revision: int) -> Sheet:
    """Put what was typed onto its sheet."""
    return sheets.keep_sheet(session=session, key=key, typed=form.to_json(), revision=revision, **asker())


def write_through(sheet: Sheet, form: Form) -> list[Problem]:
    """Write the draft when the sheet is complete; say what keeps it from being so."""
    standing = _standing(sheet.key)
    if standing is not None and not may_edit(standing.status):
        return problems_of(desk_of(sheet, form))
    try:
        _write(sheet, draft_of(form, standing.definition if standing else None))
    except InvalidInput as refusal:
        return list(refusal.problems)
    except Conflict as refusal:
        return [Problem("form", str(refusal))]
    return []


def _write(sheet: Sheet, draft: ExperimentDraft) -> None:
    with deployment.current().store.write() as session:
        sheets.write_draft(session=session, sheet=sheet, draft=draft, **asker())


def _standing(key: str) -> Experiment | None:
    with deployment.current().store.read() as session:
        if key not in catalog.known_keys(session=session):
            return None
        return catalog.find_experiment(session=session, key=key)


def problems_of(desk: Desk) -> list[Problem]:
    """What keeps the sheet from being an experiment."""
    try:
        draft = draft_of(desk.form, desk.experiment.definition if desk.experiment else None)
        with deployment.current().store.read() as session:
            registry.find_metrics(session=session, keys=draft.metrics.keys)
    except InvalidInput as refusal:
        return list(refusal.problems)
    except NotFound as refusal:
        return [Problem("metrics", str(refusal))]
    return []


def named(form: Form) -> Form:
    """Give the sheet a key: the typed one, or one made from the name."""
    key = form.texts["key"].strip()
    return form.with_texts(key=key or _key_from(form.texts["name"]))


def renamed(key: str, form: Form) -> Form:
    """A key that was emptied or cannot be one leaves the sheet where it is."""
    typed = form.texts["key"].strip()
    return form.with_texts(key=typed if re.fullmatch(KEY_PATTERN, typed) else key)


def _key_from(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    words = re.findall(r"[a-z0-9]+", plain)
    return "-".join(words)[:40].strip("-") or f"experiment-{secrets.token_hex(3)}"
