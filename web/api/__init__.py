"""The doors for programs: assignment, events, health and management."""

from flask import Flask

from web.api import bootstrap, features, health, management, quality, tracking
from web.api.assigning import AssignmentDoor
from web.api.events import EventsDoor
from web.deployment import Deployment


def register(app: Flask, deployment: Deployment) -> None:
    """Add all doors to the application."""
    for door in (health, bootstrap, features, management, quality, tracking):
        app.register_blueprint(door.blueprint)
    app.wsgi_app = AssignmentDoor(EventsDoor(app.wsgi_app, deployment), deployment)  # type: ignore[method-assign]  # Flask's own way
