"""The doors for programs: assignment, events, health and management."""

from flask import Flask

from web.api import events, features, health, management, metrics
from web.api.assigning import AssignmentDoor
from web.deployment import Deployment


def register(app: Flask, deployment: Deployment) -> None:
    """Add all doors to the application."""
    for door in (health, events, features, management, metrics):
        app.register_blueprint(door.blueprint)
    metrics.count_everything(app, deployment)
    app.wsgi_app = AssignmentDoor(app.wsgi_app, deployment)  # type: ignore[method-assign]  # Flask's own way
