"""The pages of a provider: progress by day, ordering, delivering the list, costs.

No address here carries an id: everything hangs on who is signed in, so that there is nothing of another to ask for.
Never an answer, a name or a call time of a client, and nothing newer than the end of yesterday.
"""

from ivr.web.provider import delivering, ordering, progress
from ivr.web.provider.door import blueprint

__all__ = ["blueprint", "delivering", "ordering", "progress"]
