"""Administration: the project, the keys of programs, the audit log and the processes that serve."""

from typing import Any

from experiments import audit, people
from experiments.people import ApiKey
from experiments.project import Project, ProjectDraft, find_project, save_project
from experiments.publishing import latest_version
from experiments.workers import list_workers
from web.api.door import Asking, serves
from web.api.management.shapes import moment, shown_entry
from web.api.orders import AuditPage, KeyOrder
from web.api.replies import Page, Reply, cursor_id, listed, page_of


@serves("show_project")
def show_project(asking: Asking) -> Reply:
    """What holds for the project."""
    return _shown_project(find_project(session=asking.session))


@serves("replace_project")
def replace_project(asking: Asking, draft: ProjectDraft) -> Reply:
    """What holds from now on."""
    return _shown_project(save_project(draft=draft, revision=asking.revision, **asking.terms))


@serves("list_keys")
def list_keys(asking: Asking, wanted: Page) -> Reply:
    """All keys, without their secrets."""
    found = people.list_keys(session=asking.session)
    return page_of(found, wanted, name="keys", place=lambda each: [each.prefix], shown=_shown_key)


@serves("create_key")
def create_key(asking: Asking, draft: KeyOrder) -> Reply:
    """A new key, shown once."""
    key, secret = people.create_key(kind=draft.kind, name=draft.name, exposes=draft.exposes, **asking.terms)
    return Reply({**_shown_key(key), "key": secret}, 201, secrets=("key",))


@serves("revoke_key")
def revoke_key(asking: Asking, prefix: str) -> Reply:
    """Close a key for good."""
    return Reply(_shown_key(people.revoke_key(prefix=prefix, **asking.terms)))


@serves("list_audit")
def list_audit(asking: Asking, wanted: AuditPage) -> Reply:
    """Who changed what, the newest first."""
    below = cursor_id(wanted, "changes")
    found = audit.list_entries(session=asking.session, wanted=wanted, limit=wanted.limit + 1, below=below)
    return listed(found, wanted, name="changes", place=lambda each: [each.id], shown=shown_entry)


@serves("list_workers")
def show_workers(asking: Asking) -> Reply:
    """The processes that serve, and which ruleset each of them holds."""
    published = latest_version(session=asking.session)
    workers = [
        {
            "name": each.name,
            "ruleset": each.ruleset,
            "seen_at": moment(each.seen_at),
            "current": each.ruleset == published,
        }
        for each in list_workers(session=asking.session, now=asking.now)
    ]
    return Reply({"published": published, "workers": workers})


def _shown_project(project: Project) -> Reply:
    return Reply(project.definition.model_dump(mode="json"), etag=str(project.revision))


def _shown_key(key: ApiKey) -> dict[str, Any]:
    return {
        "prefix": key.prefix,
        "kind": key.kind,
        "name": key.name,
        "exposes": key.exposes,
        "created_at": moment(key.created_at),
        "revoked_at": moment(key.revoked_at),
    }
