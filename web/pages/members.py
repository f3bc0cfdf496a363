"""Members: who is in the project, in which role, and the links that let people in."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from experiments import members
from experiments.errors import EvenhandError, InvalidInput, NotAllowed
from experiments.roles import Role, Scope
from web import auth, deployment
from web.pages.asking import asker_by_role
from web.pages.site import needs, site
from web.wording import records as words
from web.wording.mistakes import worded


@site.get("/settings/members")
@needs(Scope.PEOPLE)
def show_members() -> str:
    """Everybody, and the form to invite more."""
    return _page()


@site.post("/settings/members")
@needs(Scope.PEOPLE)
def invite_member() -> str | tuple[str, int]:
    """Make a link, and show it this once."""
    name, role = request.form.get("name", "").strip(), _role()
    try:
        with deployment.current().store.write() as session:
            token = members.invite(session=session, name=name, role=role, **asker_by_role())
    except (InvalidInput, NotAllowed) as refusal:
        return _page(typed=name, problem=refusal), 422
    return _page(link=auth.link_to_enter(token), invited=name)


@site.post("/settings/members/<int:id>/role")
@needs(Scope.PEOPLE)
def change_member(id: int) -> Response:  # noqa: A002 - the person's number
    """Let somebody do more, or less."""
    with deployment.current().store.write() as session:
        members.change_role(session=session, id=id, role=_role(), **asker_by_role())
    return redirect(url_for("pages.show_members"), 303)


@site.post("/settings/members/<int:id>/link")
@needs(Scope.PEOPLE)
def link_member(id: int) -> str:  # noqa: A002 - as above
    """A further link for somebody who is here."""
    with deployment.current().store.write() as session:
        person = members.person_with(session=session, id=id)
        token = members.invite(session=session, name=person.name, **asker_by_role())
    return _page(link=auth.link_to_enter(token), invited=person.name)


@site.post("/settings/members/<int:id>/sign-out")
@needs(Scope.PEOPLE)
def sign_out_member(id: int) -> Response:  # noqa: A002 - as above
    """End somebody's sessions everywhere."""
    with deployment.current().store.write() as session:
        members.sign_out_everywhere(session=session, id=id, **asker_by_role())
    return redirect(url_for("pages.show_members"), 303)


@site.post("/settings/members/<int:id>/remove")
@needs(Scope.PEOPLE)
def remove_member(id: int) -> Response:  # noqa: A002 - as above
    """Let somebody in no more."""
    with deployment.current().store.write() as session:
        members.remove(session=session, id=id, **asker_by_role())
    return redirect(url_for("pages.show_members"), 303)


def _page(*, link: str = "", invited: str = "", typed: str = "", problem: EvenhandError | None = None) -> str:
    with deployment.current().store.read() as session:
        found = members.list_members(session=session, now=deployment.current().now())
    return render_template(
        "settings_members.html",
        members=found,
        roles=words.roles(),
        link=link,
        invited=invited,
        typed=typed,
        problem="" if problem is None else worded(str(problem)),
    )


def _role() -> Role:
    wanted = request.form.get("role", "")
    if wanted not in set(Role):
        raise InvalidInput.at("role", f"expected one of {', '.join(Role)}")
    return Role(wanted)
