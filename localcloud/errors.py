"""The errors of the local cloud; each message is one sentence for the person at the command line."""


class LocalCloudError(Exception):
    """Something the local cloud cannot do; the message names the thing, the reason and what to do next."""
