"""Records what one subscriber of a fan-out got: once per event, and in order where there is an order."""
