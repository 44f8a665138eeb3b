"""Django in one file: `python django_app.py 8080`, or `gunicorn django_app:application`.

What matters: `LOGGING` names the handler, and the middleware binds what belongs to a request and logs how long it took.
"""

import logging
import sys
import time
import uuid

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path

import insighthub

log = logging.getLogger("shop")


class RequestLogs:
    """A record for each request, and its id on every record within."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        start = time.perf_counter()
        request_id = request.headers.get("X-Request-Id") or uuid.uuid4().hex
        with insighthub.bound(request_id=request_id, path=request.path, method=request.method):
            response = self.get_response(request)
            latency_ms = (time.perf_counter() - start) * 1e3
            log.info("request", extra={"status": response.status_code, "latency_ms": latency_ms})
        response["X-Request-Id"] = request_id
        return response


def order(request, number):
    log.info("order paid", extra={"order": number})
    return JsonResponse({"order": number})


def fail(request):
    raise RuntimeError("this view fails")


urlpatterns = [path("orders/<int:number>", order), path("fail", fail)]

settings.configure(
    DEBUG=False,
    SECRET_KEY="for this example alone",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[f"{__name__}.RequestLogs"],
    LOGGING={
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"insighthub": {"class": "insighthub.InsightHubHandler", "service": "django-shop"}},
        "root": {"handlers": ["insighthub"], "level": "INFO"},
        # Django's own loggers would mail and print; theirs come here as well.
        "loggers": {"django": {"handlers": ["insighthub"], "level": "INFO", "propagate": False}},
    },
)
sys.modules.setdefault("django_app", sys.modules[__name__])
django.setup()
application = get_wsgi_application()

if __name__ == "__main__":
    from wsgiref.simple_server import make_server

    with make_server("127.0.0.1", int(sys.argv[1]), application) as server:
        server.serve_forever()
