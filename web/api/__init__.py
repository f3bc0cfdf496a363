"""The doors for programs: assignment, events, health and management."""

from flask import Flask

from web.api import bootstrap, description, features, health, management, metrics
from web.api.assigning import AssignmentDoor
from web.api.events import EventsDoor
from web.deployment import Deployment


def register(app: Flask, deployment: Deployment) -> None:
    """Add all doors to the application."""
    for door in (health, bootstrap, features, description, management, metrics):
        app.register_blueprint(door.blueprint)
    metrics.count_everything(app, deployment)
    # Flask's own way to stand something before an application.
    app.wsgi_app = AssignmentDoor(EventsDoor(app.wsgi_app, deployment), deployment)  # type: ignore[method-assign]  # as above
