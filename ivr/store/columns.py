"""What all tables are made of: moments, JSON, the names of constraints, and the list that migrations compare with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql


def _to_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    return _aware(value).replace(tzinfo=None).isoformat(" ", "microseconds")


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a moment without a time zone never enters the store")
    return value.astimezone(UTC)


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime on both databases (SQLite keeps it as naive UTC text that sorts)."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[datetime]:
        return dialect.type_descriptor(
            postgresql.TIMESTAMP(timezone=True) if dialect.name == "postgresql" else sa.DateTime()
        )

    # Every statement of a call binds and reads some: on SQLite in one step, not through the layers of a decorator.
    def bind_processor(self, dialect: sa.Dialect) -> Any:
        return _to_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        value = _aware(value)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


class KeptState(sa.types.TypeDecorator[dict[str, Any]]):
    """How a JSON column of states is read where one damaged row must not hide the others: it comes back empty."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Text where JSON lies as text; PostgreSQL lets nothing in that is not JSON."""
        return dialect.type_descriptor(sa.Text() if dialect.name == "sqlite" else postgresql.JSONB())

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> dict[str, Any] | None:
        """The state; {} for what is none."""
        if isinstance(value, str):
            try:
                value = orjson.loads(value)
            except ValueError:
                return {}
        return value if value is None or isinstance(value, dict) else {}


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def table(name: str, *parts: sa.schema.SchemaItem, **options: Any) -> sa.Table:
    """A table among the others; options as of `sqlalchemy.Table`."""
    return sa.Table(name, metadata, *parts, **options)


CLUSTERED = {"sqlite_with_rowid": False}
"""On SQLite the rows lie in the tree of their key: one page to write instead of two, and a call's rows together."""


def ref(target: str, *, ondelete: str | None = None) -> sa.ForeignKey:
    """A reference to `table.column`."""
    return sa.ForeignKey(target, ondelete=ondelete)
