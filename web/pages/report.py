"""The report: a readout between the words of its authors; writing them, exporting and sharing the whole."""

from collections.abc import Sequence
from typing import Any

import flask_babel
from flask import Response, abort, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from experiments import reports, shares
from experiments.errors import Conflict, InvalidInput, Problem
from experiments.reports import ReportDraft, parse_report
from experiments.roles import Scope
from experiments.shares import LIFETIMES
from web import deployment
from web.looking import Look
from web.pages.asking import asker, seen_revision
from web.pages.looking import attached, drawn, look_at
from web.pages.site import POLICY, needs, nonce, open_to_all, site
from web.pages.typed import read_count
from web.reporting.exported import NoPrinter, export_readout
from web.reporting.placeholders import unknown_in, values_of
from web.reporting.printing import find_chromium
from web.reporting.report import report_body, report_of
from web.reporting.subject import Subject
from web.sharing import share_look
from web.wording.language import gettext

PARTS = ("background", "insight", "actions")


@site.get("/experiments/<key>/report", endpoint="report")
def show_report(key: str) -> str:
    """The report, and what can be done with it."""
    return _page(look_at(key))


def _page(look: Look, *, link: str = "") -> str:
    if look.snapshot_id is None:
        return render_template("no_results.html", look=look)
    body = drawn(look, "report", lambda: report_body(report_of(look.subject, look.snapshot().readout)))
    with deployment.current().store.read() as session:
        links = shares.list_shares(session=session, key=look.experiment.key)
    return render_template(
        "report.html",
        look=look,
        body=body,
        links=links,
        link=link,
        now=deployment.current().now(),
        lifetimes=LIFETIMES,
        prints=find_chromium(deployment.current().settings.chromium) is not None,
    )


@site.get("/experiments/<key>/report.<any(html, pdf, csv, json):form>")
def export_report(key: str, form: Any) -> Response:
    """The report as a file."""
    look, current = look_at(key), deployment.current()
    try:
        exported = export_readout(
            look.subject, look.snapshot(), form, store=current.store, settings=current.settings
        )
    except NoPrinter:
        abort(404, gettext("This server has no Chromium to print with."))
    return attached(exported.content, exported.name, exported.media_type)


@site.get("/experiments/<key>/report/edit")
@needs(Scope.WRITE)
def edit_report(key: str) -> str:
    """The texts, to be written."""
    look = look_at(key)
    return _form(look, look.report.texts.model_dump(), [], look.report.revision)


@site.post("/experiments/<key>/report/edit")
def save_report(key: str) -> AnyResponse | tuple[str, int]:
    """Write the texts down, or show the form again with everything that was typed."""
    look, typed = look_at(key), {name: request.form.get(name, "") for name in PARTS}
    revision = seen_revision()
    try:
        draft = parse_report(typed)
        _require_known(look, draft)
        _write(key, draft, revision)
    except InvalidInput as refusal:
        return _form(look, typed, refusal.problems, revision), 422
    except Conflict as refusal:
        return _form(look, typed, [Problem("form", str(refusal))], look.report.revision, clash=True), 409
    return redirect(url_for("pages.report", key=key), 303)


@site.post("/experiments/<key>/report/share")
def share_report(key: str) -> AnyResponse | str:
    """Make a link to the report as it is now; it is shown once."""
    look, typed = look_at(key), request.form.get("days", "")
    days = read_count(typed) or 0
    with deployment.current().store.write() as session:
        _, address = share_look(session=session, look=look, days=days, **asker())
    return _page(look, link=address)


@site.post("/experiments/<key>/report/share/<int:number>/revoke")
def revoke_link(key: str, number: int) -> AnyResponse:
    """Withdraw a link."""
    with deployment.current().store.write() as session:
        shares.revoke_share(session=session, key=key, id=number, **asker())
    return redirect(url_for("pages.report", key=key) + "#share", 303)


@site.get("/s/<token>")
@open_to_all
def shared(token: str) -> Response:
    """One frozen report, for somebody who has its link."""
    with deployment.current().store.read() as session:
        share, snapshot = shares.open_share(session=session, token=token, now=deployment.current().now())
    key = ("shared", str(flask_babel.get_locale()), share.id)
    subject = Subject.from_json(share.frozen)
    body = deployment.current().shelf.get(key, lambda: report_body(report_of(subject, snapshot.readout)))
    page = render_template(
        "shared.html",
        share=share,
        subject=subject,
        body=Markup(body),  # noqa: S704 - our own template's output
    )
    answer = Response(page, headers={"Content-Security-Policy": POLICY.format(nonce=nonce())})
    answer.headers["Referrer-Policy"] = "no-referrer"  # the address is the key to it
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _form(
    look: Look, typed: dict[str, str], problems: Sequence[Problem], revision: int, *, clash: bool = False
) -> str:
    known = {}
    if look.snapshot_id is not None:
        known = values_of(look.snapshot().readout, look.subject.names)
    return render_template(
        "report_edit.html",
        look=look,
        typed=typed,
        problems={each.place: each.message for each in problems},
        revision=revision,
        known=known,
        stored=look.report.texts.model_dump() if clash else {},
    )


def _require_known(look: Look, draft: ReportDraft) -> None:
    """Name the placeholders that nothing stands for; before the first readout nothing is known of them."""
    if look.snapshot_id is None:
        return
    values = values_of(look.snapshot().readout, look.subject.names)
    problems = [
        Problem(part, gettext("There is no number called %(name)s.", name="{{" + name + "}}"))
        for part in PARTS
        for name in unknown_in(getattr(draft, part), values)
    ]
    if problems:
        raise InvalidInput(problems)


def _write(key: str, draft: ReportDraft, revision: int) -> None:
    with deployment.current().store.write() as session:
        reports.write_report(session=session, key=key, draft=draft, revision=revision, **asker())
