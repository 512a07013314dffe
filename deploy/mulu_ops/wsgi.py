"""CKAN for a WSGI server; CKAN_INI names the configuration."""

import logging
import os

from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app

application = make_app(CKANConfigLoader(os.environ["CKAN_INI"]).get_config())

# CKAN's logging configuration switches off every logger that it does not name, the server's own among them.
for name in ("gunicorn.error", "gunicorn.access"):
    logging.getLogger(name).disabled = False
