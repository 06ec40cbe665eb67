# One image for web, worker, beat and migrate; see docs/guides/operations.md.
FROM python:3.13-slim AS build
WORKDIR /app
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.lock .
RUN python -m venv /venv && /venv/bin/pip install --require-hashes --requirement requirements.lock
COPY . .
RUN DATABASE_URL=postgres://build/none REDIS_URL=redis://build SECRET_KEY=only-while-the-image-is-built-00000000 \
    /venv/bin/python manage.py collectstatic --no-input

FROM python:3.13-slim
# Pango sets the type of PDF statements.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /app coffer && mkdir /media && chown coffer /media
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MEDIA_ROOT=/media
USER 10001
EXPOSE 8000
VOLUME /media
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
ENTRYPOINT ["docker/entrypoint.sh"]
CMD ["web"]
