"""The doors for programs: assignment, events, health and management."""

from flask import Flask

from web.api import bootstrap, description, features, health, management, metrics
from web.api.doors import Doors
from web.deployment import Deployment


def register(app: Flask, deployment: Deployment) -> None:
    """Add all doors to the application."""
    for door in (health, bootstrap, features, description, management, metrics):
        app.register_blueprint(door.blueprint)
    metrics.count_everything(app, deployment)
    # Flask's own way to stand something before an application.
    app.wsgi_app = Doors(app.wsgi_app, deployment)  # type: ignore[method-assign]  # as above
