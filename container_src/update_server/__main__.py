"""``python -m update_server``."""

from service_kit.serving import serve
from update_server.app import create
from update_server.settings import Settings

serve("update_server", Settings, create)
