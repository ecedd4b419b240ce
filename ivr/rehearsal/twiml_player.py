"""Performs TwiML in a call that was answered: sounds, keys, silence, redirects, on the rehearsal's clock.

Time in a call passes while something sounds or is waited for; it stands still while the house answers. Decides
what Twilio's documents decide: nested sounds are fetched before the first is heard; any key stops them; the
time-out starts when they end or at the first key, and again at each key; keys outside a Gather and during a
request are lost; an input of nothing falls through to the next verb. Who listens is `listeners.py`'s; how
requests travel is `transport.py`'s.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from ivr.rehearsal import twiml
from ivr.rehearsal.calls import Call
from ivr.rehearsal.listeners import HANG_UP, Act, Delivery, Listener, Sound
from ivr.rehearsal.sounds import SoundError, SoundShelf, say_seconds
from ivr.rehearsal.timekeeper import Timekeeper
from ivr.rehearsal.transport import MAXIMUM_REDIRECTS, Reply, WebhookError, Webhooks

ENDLESS_LOOPS = 1000
"""`loop="0"` plays for ever: this often is for ever."""

_XML_TYPES = frozenset({"text/xml", "application/xml", "text/html", ""})


@dataclass(frozen=True, slots=True)
class Ask:
    """A request for a document."""

    url: str
    method: str = "POST"
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Page:
    """A document and where it came from."""

    verbs: tuple[twiml.Verb, ...]
    url: str
    method: str


class _CallOver(Exception):  # noqa: N818  (an ending, not an error)
    """The call ends here."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class _DocumentChanged(Exception):  # noqa: N818  (a change of course, not an error)
    """The REST side gave the call another document."""


class _DocumentBrokenError(Exception):
    def __init__(self, code: int, url: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.url = url


class Player:
    """One answered call. `errors` lists (code, url, message) of what went wrong, as Twilio's debugger would."""

    def __init__(
        self, keeper: Timekeeper, webhooks: Webhooks, shelf: SoundShelf, call: Call, listener: Listener
    ) -> None:
        self._keeper = keeper
        self._webhooks = webhooks
        self._shelf = shelf
        self._call = call
        self._listener = listener
        self._limit = keeper.now() + call.limit_seconds
        self._submission: str | None = None
        self._redirects = (0.0, 0)
        self._is_fallen = False
        self.errors: list[tuple[int, str, str]] = []
        self.requests: list[Ask] = []
        self.send_twice: Callable[[], bool] = lambda: False
        """A fault: whether the next answer webhook is sent twice."""

    async def play(self) -> str:
        """Perform until the call is over. Returns how: completed, hung_up, ended, time_limit, application_error."""
        page: _Page | None = None
        try:
            while True:
                try:
                    page = await self._perform(page) if page is not None else await self._begin()
                    if page is None:
                        return "completed"
                except _DocumentChanged:
                    page, self._submission = None, None
                except _DocumentBrokenError as broken:
                    page = await self._fall_back(broken)
        except _CallOver as over:
            return over.how

    # -- documents --------------------------------------------------------------------------------------------

    async def _begin(self) -> _Page:
        target = self._call.target
        if target.twiml is not None:
            try:
                return _Page(twiml.parse(target.twiml.encode()), target.url or "", target.method)
            except twiml.DocumentError as error:
                raise _DocumentBrokenError(error.code, target.url or "", str(error)) from error
        assert target.url is not None
        page = await self._ask(Ask(target.url, target.method))
        if self._call.answered_at is None:
            # A call from outside is answered by its first document.
            self._call.status, self._call.answered_at = "in-progress", self._keeper.now()
        return page

    async def _fall_back(self, broken: _DocumentBrokenError) -> _Page:
        self.errors.append((broken.code, broken.url, str(broken)))
        url = self._call.target.fallback_url
        if url is None or self._is_fallen:
            raise _CallOver("application_error")
        self._is_fallen = True
        extra = (("ErrorCode", str(broken.code)), ("ErrorUrl", broken.url))
        try:
            return await self._ask(Ask(url, self._call.target.fallback_method, extra))
        except _DocumentBrokenError as again:
            self.errors.append((again.code, again.url, str(again)))
            raise _CallOver("application_error") from again

    async def _ask(self, ask: Ask) -> _Page:
        params: dict[str, str | list[str]] = self._call.parameters()
        params.update(ask.extra)
        delivery: Delivery = "uncertain"
        self.requests.append(ask)
        try:
            times = 2 if self._submission and self.send_twice() else 1
            reply = await self._webhooks.send(self._call, ask.method, ask.url, params, times=times)
            delivery = "acknowledged" if reply.is_fine else "uncertain"
        except WebhookError as error:
            delivery = error.delivery
            raise _DocumentBrokenError(error.code, ask.url, str(error)) from error
        finally:
            self._call.documents += 1
            if self._submission is not None:
                digits, self._submission = self._submission, None
                self._listener.submitted(digits, delivery)
        if not reply.is_fine:
            raise _DocumentBrokenError(11200, ask.url, f"HTTP {reply.status}")
        try:
            return _Page(_verbs(reply), reply.url, ask.method)
        except twiml.DocumentError as error:
            raise _DocumentBrokenError(error.code, ask.url, str(error)) from error

    async def _redirect(self, ask: Ask) -> _Page:
        at, times = self._redirects
        times = times + 1 if at == self._keeper.now() else 1
        self._redirects = (self._keeper.now(), times)
        if times > MAXIMUM_REDIRECTS:
            raise _DocumentBrokenError(11215, ask.url, "more than ten redirects in one moment")
        return await self._ask(ask)

    # -- verbs ------------------------------------------------------------------------------------------------

    async def _perform(self, page: _Page) -> _Page | None:
        """Perform a document; the next one, or None when the call ends by itself."""
        for verb in page.verbs:
            match verb:
                case twiml.Gather():
                    ask = await self._gather(verb, page)
                    if ask is not None:
                        return await self._redirect(ask)
                case twiml.Redirect():
                    return await self._redirect(Ask(urljoin(page.url, verb.url), verb.method))
                case twiml.Hangup():
                    return None
                case twiml.Reject():
                    raise _CallOver("rejected")
                case _:
                    await self._hear(await self._sounds((verb,), page))
        return None

    async def _sounds(self, verbs: Sequence[twiml.Audible], page: _Page) -> list[Sound]:
        sounds: list[Sound] = []
        for verb in verbs:
            match verb:
                case twiml.Play():
                    url = urljoin(page.url, verb.url)
                    try:
                        sound = await self._shelf.get(url)
                    except SoundError as error:
                        raise _DocumentBrokenError(error.code, url, str(error)) from error
                    sounds += [sound] * (verb.loop or ENDLESS_LOOPS)
                case twiml.Say():
                    sounds += [Sound(verb.text, say_seconds(verb.text))] * (verb.loop or ENDLESS_LOOPS)
                case twiml.Pause():
                    sounds.append(Sound("", float(verb.seconds)))
        return sounds

    async def _hear(self, sounds: Sequence[Sound]) -> None:
        """Sounds outside a Gather: keys are lost, hanging up is not."""
        start = self._keeper.now()
        acts = self._listener.listens(sounds, keys_count=False, at=start)
        leaves = [act.after for act in acts if act.key == HANG_UP]
        end = start + sum(sound.seconds for sound in sounds)
        if leaves and start + min(leaves) < end:
            await self._pass_to(start + min(leaves))
            raise _CallOver("hung_up")
        while self._keeper.now() < end:
            await self._pass_to(end)
            self._call.keys.clear()

    async def _gather(self, gather: twiml.Gather, page: _Page) -> Ask | None:
        """Take keys. The request they lead to, or None to fall through."""
        sounds = await self._sounds(gather.nested, page)
        start = self._keeper.now()
        self._call.keys.clear()
        acts = deque(sorted(self._acts(sounds, gather, start), key=lambda act: act.after))
        deadline = start + sum(sound.seconds for sound in sounds) + gather.timeout
        digits, finishing = "", ""
        while True:
            next_act = start + acts[0].after if acts else deadline
            if next_act < deadline:
                await self._pass_to(next_act)
            elif deadline > self._keeper.now():
                await self._pass_to(deadline)
            if self._call.keys:
                key = self._call.keys.popleft()
            elif acts and self._keeper.now() >= start + acts[0].after and start + acts[0].after < deadline:
                key = acts.popleft().key
            elif self._keeper.now() >= deadline:
                break
            else:
                continue
            if key == HANG_UP:
                raise _CallOver("hung_up")
            if not gather.takes_keys:
                continue
            if key in gather.finish_on:
                finishing = key
                break
            digits += key
            if gather.digits is not None and len(digits) >= gather.digits:
                break
            deadline = self._keeper.now() + gather.timeout
        self._submission = digits
        if not digits and not gather.acts_on_nothing:
            return None
        extra = (("Digits", digits), ("FinishedOnKey", finishing), ("msg", "Gather End"))
        return Ask(urljoin(page.url, gather.action) if gather.action else page.url, gather.method, extra)

    def _acts(self, sounds: Sequence[Sound], gather: twiml.Gather, at: float) -> Sequence[Act]:
        return self._listener.listens(sounds, keys_count=gather.takes_keys, at=at)

    async def _pass_to(self, moment: float) -> None:
        """Let the call's time pass; the REST side, a softphone's key or the time limit may end the wait."""
        limit = min(moment, self._limit)
        if await self._keeper.sleep_until(limit, self._call.bell):
            self._call.bell.reset()
            wish, self._call.wish = self._call.wish, None
            if wish == "redirect":
                raise _DocumentChanged
            if wish is not None:
                raise _CallOver("ended")
        if self._keeper.now() >= self._limit:
            raise _CallOver("time_limit")


def _verbs(reply: Reply) -> tuple[twiml.Verb, ...]:
    kind = reply.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if kind in _XML_TYPES:
        return twiml.parse(reply.body)
    if kind == "text/plain":
        return (twiml.Say(reply.body.decode("utf-8", "replace")),)
    if kind.startswith("audio/"):
        return (twiml.Play(reply.url),)
    raise twiml.DocumentError(12300, f"a document of type {kind!r}")
