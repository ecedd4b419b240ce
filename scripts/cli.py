"""`ivr`: one subcommand a file, each calls one stage.

Commands are imported only when they are used, so that `ivr --help` and small commands start fast.
With `--json` stdout carries one JSON document and nothing else. Exit code 0: the work was done; 1: it was
refused or an invariant broke; 2: wrong usage.
"""

from __future__ import annotations

import importlib
import importlib.util

import click

COMMANDS = {
    "db": ("scripts.db", "db", "Create or upgrade the database."),
    "sample": ("scripts.sample", "sample", "Take in client lists; announce; draw."),
    "order": ("scripts.order", "order", "Buy telephone interviews; list orders."),
    "questionnaire": ("scripts.questionnaire", "questionnaire", "Check and time the questionnaires."),
    "audio": ("scripts.audio", "audio", "Render, check and play the prompts."),
    "fieldwork": ("scripts.fieldwork", "fieldwork", "How the fieldwork stands."),
    "attempt": ("scripts.attempt", "attempt", "The life of one call."),
    "responses": ("scripts.responses", "responses", "Take in answers from other modes."),
    "export": ("scripts.export", "export", "Write the files for the report pipeline."),
    "ledger": ("scripts.ledger", "ledger", "Each purchased interview and who pays it."),
    "optout": ("scripts.optout", "optout", "Numbers that are never called."),
    "person": ("scripts.person", "person", "Export or erase what is held of a person."),
    "links": ("scripts.links", "links", "Letters, codes and web links for the mailing tool."),
    "carrier": ("scripts.carrier", "carrier", "The local carrier and its synthetic people."),
    "doctor": ("scripts.doctor", "doctor", "Check settings, database, Redis, audio, URL, carrier."),
    "rehearse": ("scripts.rehearse", "rehearse", "A whole fieldwork in virtual time."),
    "demo": ("scripts.demo", "demo", "The main job on real parts, in three minutes."),
    "run": ("scripts.run", "run", "Start everything with the local carrier."),
    "user": ("scripts.user", "user", "Accounts of staff and providers."),
    "mail": ("scripts.mail", "mail", "The mail to staff and providers: look, send, list."),
    "api": ("scripts.api", "api", "Tokens and published periods for the report pipeline."),
    "report": ("scripts.report", "report", "A report one can look at."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(name for name, (module, _, _) in COMMANDS.items() if importlib.util.find_spec(module))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS or not importlib.util.find_spec(COMMANDS[cmd_name][0]):
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        return getattr(importlib.import_module(module), attribute)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="toets")
def main() -> None:
    """Toets: a telephone survey that knows when to stop."""


if __name__ == "__main__":
    main()
