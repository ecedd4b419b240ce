"""The pages of a provider: progress by day, ordering, delivering the list, texts, costs, and what was published.

Everything hangs on who is signed in; where an address carries an id (an order, a delivery), the store is asked for it
together with the provider, so that another's is not there. Never an answer, a name or a call time of a client, and
nothing newer than the end of yesterday.
"""

from ivr.web.provider import costs, delivering, ordering, progress, results, texts
from ivr.web.provider.door import blueprint

__all__ = ["blueprint", "costs", "delivering", "ordering", "progress", "results", "texts"]
