"""``python -m customers_service``."""

from customers_service.app import create
from customers_service.settings import Settings
from service_kit.serving import serve

serve("customers_service", Settings, create)
