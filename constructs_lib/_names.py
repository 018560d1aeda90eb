"""Names for what CloudFormation gives none to, or would give the same in two stacks."""

import hashlib
import re

from aws_cdk import Stack, Token
from constructs import Construct

_DIGEST = 8


def own_name(scope: Construct, *, longest: int) -> str:
    """A name for this construct of this stack: lower case words, and a digest that tells apart what was cut off.

    It begins with the stack's own name, so that a stack cloned under another one has other names inside; letters,
    digits and single hyphens, a letter first.
    """
    stack = Stack.of(scope)
    inside = scope.node.path.removeprefix(stack.node.path)
    known = "" if Token.is_unresolved(stack.stack_name) else stack.stack_name
    digest = hashlib.sha256(f"{known} {scope.node.addr}".encode()).hexdigest()[:_DIGEST]
    words = re.sub(r"[^a-z0-9]+", "-", f"{known}{inside}".lower()).strip("-")[: longest - _DIGEST - 1].strip("-")
    return f"{words}-{digest}" if re.match("[a-z]", words) else f"c{digest}"
