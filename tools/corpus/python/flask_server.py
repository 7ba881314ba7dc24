"""Serves a Flask application the way `flask run` does, and tells it the routes of a setup."""
import logging
import re

from werkzeug.serving import make_server


def serve(application):
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application.logger.disabled = True
    return make_server("127.0.0.1", 0, application, threaded=True)


def rule(path):
    """Paths come with their parameters as {name}; Flask wants <name>."""
    return re.sub(r"\{(\w+)\}", r"<\1>", path)
