"""FastAPI in one file: `uvicorn fastapi_app:app`. The middleware is plain ASGI: it serves Starlette and others alike."""

import logging
import time
import uuid

import insighthub

log = logging.getLogger("shop")
handler = insighthub.InsightHubHandler(service="fastapi-shop")
logging.getLogger().addHandler(handler)
logging.getLogger().setLevel(logging.INFO)


class RequestLogs:
    """A record for each request, and its id on every record within, also from tasks and threads it awaits."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = headers.get(b"x-request-id", b"").decode("latin-1") or uuid.uuid4().hex
        start, status = time.perf_counter(), 500

        async def watched(message):
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], (b"x-request-id", request_id.encode("latin-1"))]}
            await send(message)

        with insighthub.bound(request_id=request_id, path=scope["path"], method=scope["method"]):
            try:
                await self.app(scope, receive, watched)
            except Exception:
                log.exception("request failed")
                raise
            finally:
                log.info("request", extra={"status": status, "latency_ms": (time.perf_counter() - start) * 1e3})


def make_app():
    from fastapi import FastAPI

    app = FastAPI()
    app.add_middleware(RequestLogs)

    @app.get("/orders/{number}")
    async def order(number: int):
        log.info("order paid", extra={"order": number})
        return {"order": number}

    @app.get("/in-thread/{number}")
    def in_thread(number: int):
        log.info("order looked up", extra={"order": number})
        return {"order": number}

    @app.get("/fail")
    async def fail():
        raise RuntimeError("this route fails")

    return app


def __getattr__(name):
    """`app` is made when uvicorn asks for it: the middleware alone needs no FastAPI."""
    if name == "app":
        globals()["app"] = make_app()
        return globals()["app"]
    raise AttributeError(name)
