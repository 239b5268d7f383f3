"""Everything that a site leaves behind: rows, keys and files."""

from contextlib import closing
from io import BytesIO
from pathlib import Path

import redis
from django.conf import settings
from django.db import connection

RELATIONS = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^(pg_|information_schema)' ORDER BY 1
"""


def tables() -> dict[str, list[str]]:
    """Every row of every table and every materialized view, as COPY tells it."""
    with connection.cursor() as cursor:
        cursor.execute(RELATIONS)
        found = {}
        for (name,) in cursor.fetchall():
            out = BytesIO()
            cursor.copy_expert(f"COPY (SELECT * FROM {name}) TO STDOUT", out)
            found[name] = sorted(out.getvalue().decode().splitlines())
    return found


def keys() -> dict[str, str]:
    """Every key of Valkey and what stands under it."""
    reading = {
        b"string": lambda valkey, key: valkey.get(key),
        b"list": lambda valkey, key: valkey.lrange(key, 0, -1),
        b"hash": lambda valkey, key: valkey.hgetall(key),
        b"set": lambda valkey, key: sorted(valkey.smembers(key)),
        b"zset": lambda valkey, key: valkey.zrange(key, 0, -1, withscores=True),
        b"stream": lambda valkey, key: valkey.xrange(key),
    }
    with closing(redis.Redis.from_url(settings.CACHES["default"]["LOCATION"])) as valkey:
        return {key.decode(): str(reading[valkey.type(key)](valkey, key)) for key in sorted(valkey.scan_iter())}


def files() -> dict[str, tuple[int, bytes]]:
    """Every file and folder of the media folder: its rights and its bytes."""
    root = Path(settings.MEDIA_ROOT)
    paths = sorted(root.rglob("*")) if root.is_dir() else []
    return {
        str(path.relative_to(root)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in paths
    }
