"""The site's settings without a store of rendered pages; readings are counted all the same."""

from portal.accounts.backend import LimitsCache
from portal.settings import *  # noqa: F403
from portal.settings import CACHES


class Forgetful(LimitsCache):
    def get(self, *_args, **_kwargs):
        return None

    def set(self, *_args, **_kwargs):
        return None


CACHES = CACHES | {"default": CACHES["default"] | {"BACKEND": "tests.bench.uncached.Forgetful"}}
