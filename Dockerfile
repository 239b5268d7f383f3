# Two steps: the first one has what installs and gathers, the second one only what runs.
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv/klarlagt
COPY requirements/site.lock requirements/
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --require-hashes --requirement requirements/site.lock
COPY manage.py ./
COPY portal portal
COPY rumors rumors
COPY events events
COPY templates templates
COPY locale locale
# No database and no secret is needed to gather static files; the values only let the settings load.
RUN SECRET_KEY=build PUBLIC_URL=https://build.invalid DATABASE_URL=postgres://build/build REDIS_URL=redis://build/0 \
    STATIC_ROOT=/srv/klarlagt/static /opt/venv/bin/python manage.py collectstatic --noinput \
    && /opt/venv/bin/python -m compileall -q portal rumors events \
    && rm -rf portal/local

FROM python:3.13-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /srv/klarlagt --shell /usr/sbin/nologin klarlagt \
    && install --directory --owner=klarlagt --group=klarlagt /srv/media
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/klarlagt /srv/klarlagt
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 \
    DJANGO_SETTINGS_MODULE=portal.settings STATIC_ROOT=/srv/klarlagt/static MEDIA_ROOT=/srv/media
WORKDIR /srv/klarlagt
USER klarlagt
EXPOSE 8000
CMD ["gunicorn", "portal.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--worker-class", "gthread", "--threads", "8", \
     "--worker-tmp-dir", "/dev/shm", "--no-control-socket", "--forwarded-allow-ips", "*", \
     "--forwarder-headers", "X-NONE", "--log-level", "error", "--access-logfile", "/dev/null"]
