"""The application: doors for programs and pages for people, put together for one deployment."""

import atexit
import gc
import os
import threading
import time
from typing import TYPE_CHECKING, cast

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from experiments.errors import EvenhandError
from web import api, pages
from web.api.bodies import MAX_BODY
from web.api.errors import answer_http, answer_refusal, is_door
from web.deployment import Deployment, open_deployment
from web.front import Front
from web.settings import read_settings, secret_key_of

if TYPE_CHECKING:
    from web.api.doors import Doors


def create_app(deployment: Deployment) -> Flask:
    """Make the application of one process.

    Parameters
    ----------
    deployment
        What it serves; its background work is started by whoever opened it.
    """
    app = Flask(__name__)
    app.secret_key = secret_key_of(deployment.settings)
    app.extensions["evenhand"] = deployment
    # A client's doubled slash must reach its door as it is: a redirect would turn its POST into a GET.
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    api.register(app, deployment)
    pages.register(app)
    app.register_error_handler(EvenhandError, _refused)
    app.register_error_handler(HTTPException, _stopped)
    return app


def serve_app() -> Front:
    """Make what a server's worker runs, from the environment."""
    # An interrupt at the terminal is for the server, which tells its workers: one that is told twice at the
    # same moment, by both, would wait for ever.
    os.setpgid(0, 0)
    deployment = open_deployment(read_settings())
    # The server lets unfinished requests end before its worker leaves; what they handed over is written here.
    atexit.register(deployment.close)
    app = create_app(deployment)
    deployment.mirror.start()
    threading.Thread(target=_leave_with, args=(os.getppid(), deployment), daemon=True).start()
    gc.freeze()  # what is loaded by now stays; looking through it again and again would slow every request
    return Front(cast("Doors", app.wsgi_app))  # `web.api.register` has put them there


def _leave_with(server: int, deployment: Deployment) -> None:
    """End when the server has gone without a word: otherwise the port would stay taken."""
    while os.getppid() == server:
        time.sleep(1.0)
    deployment.close()
    os._exit(1)


def _refused(refusal: EvenhandError) -> Response:
    return answer_refusal(refusal) if is_door() else pages.answer_refusal(refusal)


def _stopped(refusal: HTTPException) -> Response:
    return answer_http(refusal) if is_door() else pages.answer_http(refusal)
