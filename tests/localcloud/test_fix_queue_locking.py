"""localcloud/fixes/queue_locking.py.

Losing a message takes an unlucky moment, so the emulator itself cannot show it at will: a model of it does here.
"""

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from localcloud.fixes import queue_locking


class Model:
    """The emulator's two modules as far as the fix knows them: a poller that replaces, a sender that appends."""

    def __init__(self) -> None:
        self.messages: list[int] = [0]
        send, sweep = self._send, self._sweep
        functions = dict.fromkeys(queue_locking.QUEUE, lambda: None) | {
            "_act_send_message": send,
            "_dlq_sweep": sweep,
        }
        self.sqs = SimpleNamespace(_queues_lock=threading.Lock(), _HANDLERS={"SendMessage": send}, **functions)
        self.deliverer = SimpleNamespace(_deliver_to_sqs=send, _deliver_event_to_sqs=send)

    def need(self, module: str, *_names: str) -> Any:
        return self.sqs if module == "services.sqs" else self.deliverer

    def _send(self) -> None:
        self.messages.append(1)

    def _sweep(self) -> None:
        kept = list(self.messages)
        time.sleep(0.1)
        self.messages = kept

    def race(self, send: Any) -> list[int]:
        """Send while the poller replaces the list."""
        poller = threading.Thread(target=self.sqs._dlq_sweep)
        poller.start()
        time.sleep(0.03)
        send()
        poller.join()
        return self.messages


@pytest.mark.parametrize("way", ["api", "call", "topic", "bucket"])
def test_nothing_is_lost(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    ways = {
        "api": lambda model: model.sqs._HANDLERS["SendMessage"],
        "call": lambda model: model.sqs._act_send_message,
        "topic": lambda model: model.deliverer._deliver_to_sqs,
        "bucket": lambda model: model.deliverer._deliver_event_to_sqs,
    }
    model = Model()
    assert model.race(ways[way](model)) == [0], "the model loses it without the fix"
    model = Model()
    monkeypatch.setattr(queue_locking, "need", model.need)
    queue_locking.apply()
    assert model.race(ways[way](model)) == [0, 1]
