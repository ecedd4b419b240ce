"""The store: functions over a Session that return survey objects. The only room with SQL."""

# Imported for its effect: whoever opens the store sees all tables, those of accounts too.
from ivr.store import tables_accounts as _tables_accounts  # noqa: F401
from ivr.store.session import Database, Session

__all__ = ["Database", "Session"]
