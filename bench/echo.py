"""The comparator of the HTTP service: an ASGI application that sends each body back, and does
nothing else.

It runs under the same server and the same load as the service.
"""

from typing import Any

import uvicorn

HEADERS = [(b"content-type", b"application/json")]


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Read the whole body and send it back."""
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": body})


def serve(port: int) -> None:
    """Serve until stopped."""
    uvicorn.run(
        app, host="127.0.0.1", port=port, http="httptools", loop="uvloop", lifespan="off",
        log_level="warning", access_log=False,
    )  # fmt: skip


if __name__ == "__main__":
    import sys

    serve(int(sys.argv[1]))
