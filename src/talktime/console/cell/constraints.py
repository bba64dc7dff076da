"""CHECK constraints that several tables have."""

from collections.abc import Sequence

from django.db import models
from django.db.models import Q


def one_of(field: str, values: Sequence[str], name: str) -> models.CheckConstraint:
    """The column holds one of these words."""
    return models.CheckConstraint(condition=Q(**{f"{field}__in": list(values)}), name=name)


def positive(field: str, name: str) -> models.CheckConstraint:
    """The column is above zero."""
    return models.CheckConstraint(condition=Q(**{f"{field}__gt": 0}), name=name)


def not_negative(field: str, name: str) -> models.CheckConstraint:
    """The column is not below zero."""
    return models.CheckConstraint(condition=Q(**{f"{field}__gte": 0}), name=name)
