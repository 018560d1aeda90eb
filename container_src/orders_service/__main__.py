"""``python -m orders_service``."""

from orders_service.app import create
from orders_service.settings import Settings
from service_kit.serving import serve

serve("orders_service", Settings, create)
