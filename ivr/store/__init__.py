"""The store: functions over a Session that return survey objects. The only room with SQL."""

# Imported for their effect: whoever opens the store sees all tables, those of accounts and links too.
from ivr.store import tables_accounts as _tables_accounts  # noqa: F401
from ivr.store import tables_links as _tables_links  # noqa: F401
from ivr.store import tables_mail as _tables_mail  # noqa: F401
from ivr.store import tables_providers as _tables_providers  # noqa: F401
from ivr.store.session import Database, Session

__all__ = ["Database", "Session"]
