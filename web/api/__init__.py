"""The doors for programs: assignment, events, health and management."""

from flask import Flask

from web.api import events, health, management, ofrep


def register(app: Flask) -> None:
    """Add all doors to the application."""
    for door in (health, ofrep, events, management):
        app.register_blueprint(door.blueprint)
