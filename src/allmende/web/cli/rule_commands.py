"""The names, arguments and words of the commands about rules."""

from typing import Annotated

import typer

rule = typer.Typer(help="One rule: what it would give, and its past anew.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="One JSON value instead of words.")]
RuleId = Annotated[str, typer.Argument(help="As `allmende rules` lists it.")]
From = Annotated[str, typer.Option("--from", help="A day of the city (2026-05-01), or an instant.")]
To = Annotated[str, typer.Option("--to", help="The end, not included; now, where nothing is said.")]


def rules(as_json: Json = False) -> None:
    """All rules: what they give, how far they are, what is wrong."""
    from allmende.web.cli import rules as module

    module.list_rules(as_json)


@rule.command("preview")
def rule_preview(
    rule_id: RuleId,
    start: From,
    end: To = "",
    group: Annotated[str, typer.Option("--group", help="Of this stream, thing or group alone.")] = "",
    as_json: Json = False,
) -> None:
    """Show what a rule gives for a span of what is kept, and store nothing."""
    from allmende.web.cli import rules as module

    module.preview(rule_id, start, end, group, as_json)


@rule.command("run")
def rule_run(rule_id: RuleId, start: From, end: To = "", as_json: Json = False) -> None:
    """Work out a rule's past anew and swap it in: all of it, or nothing. Nobody is alarmed by it.

    After a rule was changed, give the worker some seconds to follow first.
    """
    from allmende.web.cli import rules as module

    module.run(rule_id, start, end, as_json)
