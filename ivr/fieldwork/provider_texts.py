"""The texts that a provider needs: to ask for consent, to tell its clients, and to see what they get from us.

Decides which there are and what is filled in for a provider; the words stand in `config/letters/`, and its README says
which placeholder is what. What differs per person (name, code, link) stands between brackets.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ivr.catalogue import Catalogue
from ivr.errors import ConfigurationError
from ivr.fieldwork.inviting import Address
from ivr.fieldwork.link_kit import INBURGERING, LAAGDREMPELIG, filled
from ivr.survey.phone_text import national

PER_PERSON = {
    "naam": "naam van uw cliënt",
    "code": "code van vier cijfers",
    "link": "eigen internetadres van uw cliënt",
    "geldig_tot": "laatste dag waarop het adres werkt",
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One text. `is_own`: the provider uses it itself; otherwise it is what we send."""

    name: str
    title: str
    use: str
    is_own: bool


KINDS = (
    Kind("toestemming", "Toestemming vragen", "Voor bij de start van een traject. Zet het antwoord in de kolom "
         "toestemming van uw lijst: ja of nee.", True),
    Kind("informatie", "Brief of mail vooraf", "Stuur deze voordat u de lijst aanlevert, op uw eigen papier.", True),
    Kind("informatie_sms", "Sms vooraf", "In plaats van de brief, of erbij.", True),
    Kind("brief", "Onze brief", "Gaat naar wie wij bellen.", False),
    Kind("sms", "Onze sms", "Gaat naar wie wij bellen en een mobiel nummer heeft.", False),
    Kind("brief_web", "Onze brief zonder telefoontje", "Gaat naar wie wij alleen op internet vragen.", False),
    Kind("gemist", "Onze sms na een gemist gesprek", "Gaat een keer naar wie niet opnam.", False),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Text:
    """A text as the provider sees it."""

    kind: Kind
    text: str

    @property
    def paragraphs(self) -> list[str]:
        """Its parts between empty lines."""
        return self.text.split("\n\n")


def text_for(config_dir: Path, catalogue: Catalogue, address: Address, provider: str, name: str) -> Text | None:
    """The text called `name` with everything filled in that is known; None for a name that there is not."""
    kind = next((one for one in KINDS if one.name == name), None)
    if kind is None:
        return None
    try:
        text = (config_dir / "letters" / f"{kind.name}.txt").read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"letters/{kind.name}.txt cannot be read: {error}.") from error
    minutes = sorted({catalogue.questionnaires[one].minutes for one in (INBURGERING, LAAGDREMPELIG)})
    values = {
        "dienstverlener": provider,
        "bellernummer": national(address.from_number),
        "telefoonnummer": address.help_number,
        "echt": f"{address.base_url.rstrip('/')}/echt",
        "minuten": " tot ".join(str(one) for one in minutes),
        "dagen": str(catalogue.fieldwork.retention_contact_days),
    }
    if not kind.is_own:
        values |= {one: f"[{meaning}]" for one, meaning in PER_PERSON.items()}
    return Text(kind, filled(kind.name, text, values))
