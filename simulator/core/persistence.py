"""State in a file: read at the start, written when it has changed, replaced in one step."""

import base64
import json
import logging
import os
import threading
from pathlib import Path

from simulator.core.idempotency import Answer
from simulator.core.values import Object
from simulator.core.world import World

logger = logging.getLogger("simulator")
PAUSE_SECONDS = 2.0


class Keeper(threading.Thread):
    """Writes a world to a file, a moment after it has changed."""

    def __init__(self, world: World, file: Path) -> None:
        super().__init__(name="simulator-keeper", daemon=True)
        self.world = world
        self.file = file
        self._ended = threading.Event()
        if file.exists():
            restore(world, json.loads(file.read_text()))
        self._written = world.changes

    def run(self) -> None:
        """Write until told to stop."""
        while not self._ended.wait(PAUSE_SECONDS):
            self.write()

    def stop(self) -> bool:
        """Write for the last time, with nobody else at it; return whether the file has all."""
        self._ended.set()
        if self.is_alive():
            self.join()
        return self.write()

    def write(self) -> bool:
        """Write the state, unless the file has it already; return whether it has it now."""
        with self.world.lock:
            changes = self.world.changes
            if self._written == changes:
                return True
            text = json.dumps(dump(self.world))
        draft = self.file.with_name(f"{self.file.name}.draft")
        try:
            draft.touch(mode=0o600)
            draft.write_text(text)
            os.replace(draft, self.file)
        except OSError as error:  # a full disk: it may have room the next time
            logger.error("The state cannot be written to %s: %s", self.file, error.strerror)
            return False
        self._written = changes
        return True


def dump(world: World) -> Object:
    """Return a world as JSON: objects, answers to idempotency keys, and its time."""
    world.keys.purge()
    answers = [
        [owner, key, a.fingerprint, a.created, a.status, _text(a.body), a.request]
        for (owner, key), a in world.keys.answers.items()
        if a.status
    ]
    return {"objects": world.store.dump(), "answers": answers, "shift": world.shift}


def restore(world: World, dumped: Object) -> None:
    """Make a world what it was when it was dumped."""
    with world.lock:
        world.store.load(dumped["objects"])
        world.shift = dumped["shift"]
        world.keys.answers = {
            (owner, key): Answer(fingerprint, created, status, _bytes(body), request)
            for owner, key, fingerprint, created, status, body, request in dumped["answers"]
        }
        for event in world.store.kinds["event"].rows.values():
            world.deliveries.go_on(event)


def _text(body: bytes) -> str:
    return base64.b64encode(body).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
