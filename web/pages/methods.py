"""Methods: what each method computes, what it assumes and where it comes from, in its own words."""

from flask import abort, render_template

from analysis.methods import describe
from web.pages.site import open_to_all, site
from web.wording.method_index import method_groups, method_title


@site.get("/methods")
@open_to_all
def list_methods() -> str:
    """All methods that describe themselves, under the questions that they answer."""
    groups = [(question, [describe(name) for name in names]) for question, names in method_groups()]
    return render_template("methods.html", groups=groups, title=method_title)


@site.get("/methods/<name>")
@open_to_all
def show_method(name: str) -> str:
    """One method."""
    method = describe(name)
    if method is None:
        abort(404)
    return render_template("method.html", method=method, title=method_title(method.name))
