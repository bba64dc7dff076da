"""The OpenAPI document."""


def document() -> bytes:
    return b"{}"
