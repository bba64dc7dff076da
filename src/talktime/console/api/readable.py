"""The OpenAPI document as a page shows it: operations by subject, fields in words, a curl line."""

import json
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from talktime.console.api.document import PREFIX, document, operations
from talktime.core.refusal import REFUSALS

REF = "#/components/schemas/"
BOUNDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "maxItems": "at most {}",
    "pattern": "matches {}",
}


class Type(NamedTuple):
    """What a value is: in words, and the name of its schema where it has one."""

    words: str
    schema: str = ""


class Field(NamedTuple):
    """A parameter, or a field of a schema. `bounds` and `about` are sentences without their end."""

    name: str
    type: Type
    required: bool
    bounds: str
    about: str


class Code(NamedTuple):
    """A refusal that may be the answer."""

    status: int
    code: str
    title: str


class Operation(NamedTuple):
    """One thing that can be asked. `place` is its anchor."""

    place: str
    method: str
    path: str
    summary: str
    about: str
    parameters: list[Field]
    body: Type | None
    curl: str
    answer: Type
    codes: list[Code]


class Group(NamedTuple):
    """The operations of one subject."""

    name: str
    about: str
    operations: list[Operation]


class Schema(NamedTuple):
    """The fields of something that is sent or answered."""

    name: str
    about: str
    fields: list[Field]


class Readable(NamedTuple):
    """All that the page shows."""

    about: str
    key: str
    groups: list[Group]
    schemas: list[Schema]


@lru_cache(1)
def readable() -> Readable:
    """The document, read for people: made once, for it does not change while the service runs."""
    found = msgspec.json.decode(document())
    about = {tag["name"]: tag["description"] for tag in found["tags"]}
    groups = {name: Group(name, words, []) for name, words in about.items()}
    for method, path, name, _ in operations():
        told = found["paths"][path][method.lower()]
        groups[told["tags"][0]].operations.append(_operation(method, path, name, told))
    schemas = found["components"]["schemas"]
    return Readable(
        found["info"]["description"],
        found["components"]["securitySchemes"]["key"]["description"],
        [group for group in groups.values() if group.operations],
        [_schema(name, schemas[name]) for name in sorted(schemas) if "properties" in schemas[name]],
    )


def _operation(method: str, path: str, name: str, told: dict[str, Any]) -> Operation:
    sent = told.get("requestBody", {}).get("content", {})
    ((content_type, content),) = sent.items() or [("", {})]
    ((_, answer),) = told["responses"]["200"]["content"].items() or [("", {})]
    body = None
    if content:
        body = type_of(content["schema"])
        if content_type != "application/json":
            body = Type(content_type)
    return Operation(
        *(name, method, path.removeprefix(PREFIX), told["summary"], told["description"]),
        [_parameter(each) for each in told.get("parameters", [])],
        body,
        _curl(method, path, told, content_type, content.get("example")),
        type_of(answer.get("schema", {})),
        _codes(told["responses"]),
    )


def _codes(responses: dict[str, Any]) -> list[Code]:
    named = [
        code
        for answer in responses.values()
        for code in answer.get("content", {})
        .get("application/problem+json", {})
        .get("examples", ())
    ]
    return [Code(REFUSALS[code].status, code, REFUSALS[code].title) for code in named]


def _curl(method: str, path: str, told: dict[str, Any], content_type: str, example: Any) -> str:
    """The operation as it is typed, its address and headers whole."""
    query = "&".join(
        f"{each['name']}=..."
        for each in told.get("parameters", [])
        if each["in"] == "query" and each.get("required")
    )
    path = f"{path}?{query}" if query else path
    words = ["curl", *([] if method == "GET" else ["-X", method]), f'"$TALKTIME_URL{path}"']
    lines = [" ".join(words), '-H "Authorization: Bearer $TALKTIME_KEY"']
    headers = [each for each in told.get("parameters", []) if each["in"] == "header"]
    lines += [f'-H "{each["name"]}: {each.get("example", "")}"' for each in headers]
    if content_type:
        lines.append(f'-H "Content-Type: {content_type}"')
        sent = json.dumps(example, ensure_ascii=False) if example is not None else "@FILE"
        lines.append(f"--data '{sent}'" if example is not None else f"--data-binary {sent}")
    return " \\\n  ".join(lines)


def _parameter(told: dict[str, Any]) -> Field:
    schema = told["schema"]
    about = told.get("description") or schema.get("description", "")
    return Field(told["name"], type_of(schema), told.get("required", False), _bounds(schema), about)


def _schema(name: str, schema: dict[str, Any]) -> Schema:
    required = schema.get("required", ())
    fields = [
        Field(field, type_of(told), field in required, _bounds(told), told.get("description", ""))
        for field, told in schema["properties"].items()
    ]
    return Schema(name, schema.get("description", ""), fields)


def type_of(schema: dict[str, Any]) -> Type:
    """What a schema's values are.

    >>> type_of({"type": "array", "items": {"$ref": "#/components/schemas/Lot"}})
    Type(words='list of Lot', schema='Lot')
    >>> type_of({"anyOf": [{"type": "string"}, {"type": "null"}]}).words
    'string or null'
    >>> type_of({"enum": ["prepaid", "post_usage"], "type": "string"}).words
    'prepaid or post_usage'
    """
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(REF)
        return Type(name, name)
    if "enum" in schema:
        return Type(" or ".join(map(str, schema["enum"])))
    if "const" in schema:
        return Type(str(schema["const"]))
    several = schema.get("anyOf") or schema.get("allOf") or schema.get("oneOf")
    if several:
        types = [type_of(each) for each in several]
        named = next((each.schema for each in types if each.schema), "")
        return Type(" or ".join(each.words for each in types), named)
    if schema.get("type") == "array":
        of = type_of(schema.get("items", {}))
        return Type(f"list of {of.words}", of.schema)
    if schema.get("format") == "binary":
        return Type("the file")
    return Type(schema.get("type", "anything"))


def _bounds(schema: dict[str, Any]) -> str:
    found = [words.format(schema[name]) for name, words in BOUNDS.items() if name in schema]
    if schema.get("default") not in (None, ""):
        found.append(f"else {json.dumps(schema['default'])}")
    return ", ".join(found)
