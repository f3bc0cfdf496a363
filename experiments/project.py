"""The project: what holds for all of its experiments. Every revision is kept; the newest is in force."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal

from pydantic import Field
from sqlmodel import Session, col, select

from experiments import audit
from experiments.definition import store_form
from experiments.errors import Outdated
from experiments.fields import Draft, Name, Site, TimeZone, zone_of
from experiments.store.administration import ProjectRow


class DefaultPlan(Draft):
    """What a new experiment's plan begins with."""

    confidence: float = Field(default=0.95, ge=0.5, lt=1)
    inference: Literal["sequential", "always_valid", "fixed", "group_sequential", "bayesian"] | None = None
    correction: Literal["holm", "benjamini_hochberg", "none"] = "holm"
    power: float = Field(default=0.8, gt=0, lt=1)
    mde: float | None = Field(default=None, gt=0, lt=10)
    days: int | None = Field(default=None, ge=1, le=3_650)


class ProjectDraft(Draft):
    """What holds for all experiments of a project.

    Its name, the plan that they begin with, whether starting one takes two people, the address of the product
    that previews are shown on, and the time zone in which starts and ends are written.
    """

    name: Name = ""
    plan: DefaultPlan = DefaultPlan()
    approval: bool = False
    site: Site = ""
    time_zone: TimeZone = "UTC"

    @property
    def zone(self) -> tzinfo:
        """The time zone in which starts and ends are written."""
        return zone_of(self.time_zone)


@dataclass(frozen=True, slots=True)
class Project:
    """The project as it stands; revision 0 before anything was changed."""

    definition: ProjectDraft
    revision: int


def find_project(*, session: Session) -> Project:
    """The project as it stands."""
    row = session.exec(select(ProjectRow).order_by(col(ProjectRow.revision).desc())).first()
    if row is None:
        return Project(ProjectDraft(), 0)
    return Project(ProjectDraft.model_validate_json(row.definition), row.revision or 0)


def save_project(
    *, session: Session, draft: ProjectDraft, actor: str, now: datetime, revision: int | None = None
) -> Project:
    """Change the project.

    Parameters
    ----------
    revision
        The revision that the editor saw; None to overwrite whatever is there.

    Raises
    ------
    Outdated
        If somebody else has changed it since.
    """
    held = find_project(session=session)
    if revision is not None and revision != held.revision:
        raise Outdated("the project was changed by somebody else in the meantime; reload to see it")
    before, after = store_form(held.definition), store_form(draft)
    if before == after:
        return held
    row = ProjectRow(definition=after, created_at=now)
    session.add(row)
    audit.record(
        session=session, actor=actor, action="edit", object="project", before=before, after=after, now=now
    )
    session.flush()
    return Project(draft, row.revision or 0)
