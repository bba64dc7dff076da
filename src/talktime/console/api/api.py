"""The management API: one document of all resources."""

from importlib.metadata import version

from ninja import NinjaAPI

from talktime.console.api.entrance import Json, JsonBody, handle_errors
from talktime.console.api.resources import RESOURCES

api = NinjaAPI(
    title="Talktime management API",
    version=version("talktime"),
    docs_url=None,
    openapi_url=None,
    renderer=Json(),
    parser=JsonBody(),
    urls_namespace="management-api",
)
handle_errors(api)
for resource in RESOURCES:
    api.add_router(resource.prefix, resource.router)
