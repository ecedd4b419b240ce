"""The one error tree of the project.

    ToetsError
    ├── UsageError            the command or form was used wrongly               exit 2, HTTP 400
    ├── ConfigurationError    settings or files in config/ contradict each other exit 1, HTTP 500
    ├── RefusedError          the work was refused; carries a stable code        exit 1, HTTP 409
    │   ├── FileRefusedError  a delivered file cannot be taken at all (bsn_column, not_a_table, …)
    │   └── NotVoicedError    an order may not be dialled before its prompts are rendered and checked
    ├── NotFoundError         no such provider, order, attempt, prompt           exit 1, HTTP 404
    ├── CarrierError          the carrier answered, and said no (4xx): certainly no call
    │   └── CarrierBusyError  429: certainly no call, try later
    ├── CarrierUnknownError   time-out or 5xx: perhaps a call was made, look it up, never repeat blindly
    │   └── CarrierUnreachableError  no connection was ever made: certainly no call, the line is down
    ├── MailError             a mail did not surely go out
    │   ├── RefusedMailError  it did not, and will not: the server said no for good
    │   ├── TryLaterError     it did not: the server is away, or said not now
    │   └── UnknownMailError  perhaps it did, never repeat blindly
    ├── SpeechError           an engine gave no usable sound
    └── InvariantError        something that must never happen did; never swallowed

Messages are English, for operators, and say what to do. What a respondent, provider or member of staff
reads is Dutch and comes from the door that serves them.
"""


class ToetsError(Exception):
    """Base of every error raised on purpose. `code` is stable and machine-readable."""

    code: str = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class UsageError(ToetsError):
    code = "usage"


class ConfigurationError(ToetsError):
    code = "configuration"


class RefusedError(ToetsError):
    code = "refused"


class FileRefusedError(RefusedError):
    code = "file_refused"


class NotVoicedError(RefusedError):
    code = "not_voiced"


class NotFoundError(ToetsError):
    code = "not_found"


class CarrierError(ToetsError):
    """The carrier refused the request: no call was made. `carrier_code` is Twilio's number, if it gave one."""

    code = "carrier"

    def __init__(self, message: str, *, status: int | None = None, carrier_code: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.carrier_code = carrier_code


class CarrierBusyError(CarrierError):
    code = "carrier_busy"


class CarrierUnknownError(ToetsError):
    code = "carrier_unknown"


class CarrierUnreachableError(CarrierUnknownError):
    code = "carrier_unreachable"


class MailError(ToetsError):
    """`message` is a code or a class, never an address or a text."""

    code = "mail"


class RefusedMailError(MailError):
    code = "mail_refused"


class TryLaterError(MailError):
    code = "mail_later"


class UnknownMailError(MailError):
    code = "mail_unknown"


class SpeechError(ToetsError):
    code = "speech"


class InvariantError(ToetsError):
    code = "invariant"
