"""Which database holds which table: a cell's own in the cells, the rest in the control plane."""

from typing import Any

from django.db.models import Model

from talktime.config import CELL_ALIAS_PREFIX, CONTROL_PLANE_ALIAS

CELL_APP = "cell"


class CellRouter:
    """Keeps each table in its place.

    Which cell is not for the router to guess: a query on a cell's table names it (`.using(...)`).
    Without that it goes to the control plane's database, where the table is not, and fails at once.
    """

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return None if model._meta.app_label == CELL_APP else CONTROL_PLANE_ALIAS

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        return self.db_for_read(model, **hints)

    def allow_relation(self, obj1: Model, obj2: Model, **hints: Any) -> bool:
        return (obj1._meta.app_label == CELL_APP) == (obj2._meta.app_label == CELL_APP)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (app_label == CELL_APP) == db.startswith(CELL_ALIAS_PREFIX)
