#!/bin/sh
# The four things that the image can be.
set -eu
case "${1:-web}" in
    web) exec granian --interface wsgi config.wsgi:application --host 0.0.0.0 --port 8000 --workers "${WEB_WORKERS:-2}" ;;
    worker) exec celery -A config worker --concurrency "${WORKER_CONCURRENCY:-2}" --queues "${WORKER_QUEUES:-celery,work}" ;;
    beat) exec celery -A config beat --schedule /tmp/beat-schedule ;;
    migrate)
        if [ -n "${DATABASE_OWNER_URL:-}${DATABASE_OWNER_URL_FILE:-}" ]; then python manage.py database_roles; fi
        exec python manage.py migrate --no-input ;;
    *) exec "$@" ;;
esac
