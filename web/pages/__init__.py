"""The pages for people."""

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from experiments.errors import EvenhandError


def register(app: Flask) -> None:
    """Add all pages to the application."""


def answer_refusal(refusal: EvenhandError) -> Response:
    """Say a use case's refusal on a page."""
    return Response(str(refusal), 400)


def answer_http(refusal: HTTPException) -> Response:
    """Say on a page what the framework refused."""
    return Response(refusal.name, refusal.code or 500)
