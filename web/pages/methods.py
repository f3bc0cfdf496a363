"""Methods: what each method computes, what it assumes and where it comes from, in its own words."""

from flask import abort, render_template

from analysis.methods import NAMES, describe
from web.pages.site import open_to_all, site


@site.get("/methods")
@open_to_all
def list_methods() -> str:
    """All methods that describe themselves."""
    return render_template("methods.html", methods=[describe(name) for name in NAMES])


@site.get("/methods/<name>")
@open_to_all
def show_method(name: str) -> str:
    """One method."""
    method = describe(name)
    if method is None:
        abort(404)
    return render_template("method.html", method=method)
