"""Gunicorn's hooks; its options stand in `run`."""

import gc


def when_ready(_server: object) -> None:
    """Between loading and forking: what is frozen is never visited again, so the workers go on sharing its memory."""
    gc.collect()
    gc.freeze()
