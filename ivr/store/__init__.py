"""The store: functions over a Session that return survey objects. The only room with SQL."""

from ivr.store.session import Database, Session

__all__ = ["Database", "Session"]
