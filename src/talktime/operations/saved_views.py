"""Keep a report's filters and columns under a name, for all of the organisation."""

from collections.abc import Callable

from talktime.core.limits import (
    EMAIL_TEXT_MAX,
    SAVED_VIEW_NAME_TEXT_MAX,
    SAVED_VIEW_QUERY_TEXT_MAX,
    SAVED_VIEWS_MAX,
)
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.input_checks import check_text
from talktime.store import saved_views as store
from talktime.store.database import Connection
from talktime.store.saved_views import SavedView


def save_view(
    cell: Connection,
    organisation_id: int,
    *,
    page: str,
    name: str,
    query: str,
    actor: str,
    now_ms: int,
    next_id: Callable[[], int],
    may_replace: bool = False,
) -> SavedView | Refusal:
    """Keep the query of a page's address; one's own of the same name is replaced, and with
    `may_replace` anybody's.

    Opens its own transaction. Refuses: invalid_value for a name that cannot be kept, a query
    that is too long, and where there are SAVED_VIEWS_MAX already. Raises Outage.
    """
    name = " ".join(name.split())
    refusal = check_text("the view's name", name, SAVED_VIEW_NAME_TEXT_MAX)
    if refusal is not None:
        return refusal
    if len(query) > SAVED_VIEW_QUERY_TEXT_MAX:
        return Refusal("invalid_value", "the report has more filters than can be kept")
    view = SavedView(
        *(next_id(), organisation_id, name, page, query, actor[:EMAIL_TEXT_MAX], now_ms)
    )
    with cell.transaction():
        store.lock_views(cell, organisation_id)
        views = store.views_of(cell, organisation_id, page)
        same = next((each for each in views if each.name == name), None)
        if same is not None and same.created_by != view.created_by and not may_replace:
            return Refusal("invalid_value", f"{same.created_by} has a view of this name")
        if same is None and len(views) >= SAVED_VIEWS_MAX:
            return Refusal("invalid_value", f"there are {SAVED_VIEWS_MAX} views: delete one first")
        if same is not None:
            store.delete_view(cell, organisation_id, same.id)
        store.insert_view(cell, view)
        before = {"query": same.query} if same is not None else {}
        note(cell, organisation_id, "view.save", name, before=before, after={"query": query})
    return view


def delete_view(
    cell: Connection, organisation_id: int, page: str, view_id: int
) -> SavedView | None:
    """Take a view away, and say which it was; None where it is gone already. Opens its own
    transaction. Raises Outage."""
    with cell.transaction():
        store.lock_views(cell, organisation_id)
        views = store.views_of(cell, organisation_id, page)
        found = next((each for each in views if each.id == view_id), None)
        if found is not None:
            store.delete_view(cell, organisation_id, view_id)
            note(cell, organisation_id, "view.delete", found.name, before={"query": found.query})
    return found


def list_views(cell: Connection, organisation_id: int, page: str) -> list[SavedView]:
    """The views of a page, by name. Raises Outage."""
    with cell.reading():
        return store.views_of(cell, organisation_id, page)
