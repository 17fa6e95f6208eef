"""Commands that look things up: rules, and the knowledge base."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.shared import AsJson, group, print_table

if TYPE_CHECKING:
    from theory_kb.questions import Question

__all__ = ["register", "rules_show"]

rules_app = group("Look up the rules.\n\nExample: musegen rules list --style strict")
kb_app = group(
    "Look into the knowledge base, and ask it.\n\nExample: musegen kb show rule:parallel-fifth"
)
ask_app = group("Ask a question of music theory.\n\nExample: musegen kb ask spell Ger6 'F# minor'")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(rules_app, name="rules")
    app.add_typer(kb_app, name="kb")
    kb_app.add_typer(ask_app, name="ask")
    _add_questions()


@rules_app.command("list")
def rules_list(
    style: Annotated[str | None, typer.Option(help="Those that are on in this style.")] = None,
    scope: Annotated[str | None, typer.Option(help="N, V, M1, M2, L3, H2, P or W.")] = None,
    level: Annotated[str | None, typer.Option(help="surface or harmonic.")] = None,
    severity: Annotated[str | None, typer.Option(help="E, W, I or -.")] = None,
    needs: Annotated[str | None, typer.Option(help="What must be known, as harmony.")] = None,
    search: Annotated[str, typer.Option(help="Words that it must say.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the rules, all or those that fit.

    Example: musegen rules list --style strict --severity E --search fifth
    """
    from musegen.tasks.rules import RuleFilter, rule_record, select_rules

    found = select_rules(RuleFilter(style, scope, level, severity, needs, search))
    if as_json:
        records = [rule_record(each.id) for each in found]
        sys.stdout.write(json.dumps(records, ensure_ascii=False, indent=1) + "\n")
        return
    for each in found:
        letters = " ".join(each.severity.values())
        sys.stdout.write(f"{each.id:<32} {letters}  {each.scope:<2}  {each.name}\n")
    sys.stderr.write(f"{len(found)} rule{'' if len(found) == 1 else 's'}\n")


@rules_app.command("show")
def rules_show(
    name: Annotated[str, typer.Argument(help="Id of the rule.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a rule: what it says and why, exceptions, parameters, sources, examples.

    Example: musegen rules show parallel-fifth
    """
    from musegen.tasks.rules import rule_lines, rule_record

    if as_json:
        record = rule_record(name)
        sys.stdout.write(json.dumps(record, ensure_ascii=False, indent=1) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in rule_lines(name))


@rules_app.command("schema")
def rules_schema() -> None:
    """Print the JSON Schema of a style file, for editors and for one's own programs.

    Example: musegen rules schema > style.schema.json
    """
    from theory_kb.rules.styles import style_schema

    sys.stdout.write(json.dumps(style_schema(), ensure_ascii=False, indent=1) + "\n")


@kb_app.command("stats")
def kb_stats(as_json: AsJson = False) -> None:
    """Count what the graph holds: nodes by kind, edges by relation.

    Example: musegen kb stats
    """
    from theory_kb.graph import statistics

    found = statistics()
    if as_json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    else:
        for part, counts in found.items():
            print_table({f"{part}, {name}": str(count) for name, count in counts.items()})


@kb_app.command("show")
def kb_show(
    node: Annotated[str, typer.Argument(help="Such as rule:parallel-fifth or cad-pac.")],
    as_json: AsJson = False,
) -> None:
    """Show what is known of a node: its attributes and every statement about it.

    Example: musegen kb show rule:parallel-fifth
    """
    from theory_kb.graph import describe, find_node

    _print_lines(describe(find_node(node)), as_json=as_json)


@kb_app.command("path")
def kb_path(
    start: Annotated[str, typer.Argument(help="A node.")],
    goal: Annotated[str, typer.Argument(help="Another.")],
    as_json: AsJson = False,
) -> None:
    """Show a shortest chain of statements from one node to another.

    Example: musegen kb path schema:prinner cadence:cad-pac
    """
    from theory_kb.graph import find_node, path_between
    from theory_kb.statements import edge_text

    chain = path_between(find_node(start), find_node(goal))
    _print_lines([edge_text(edge) for edge in chain], as_json=as_json)


def _print_lines(lines: list[str], *, as_json: bool) -> None:
    text = json.dumps(lines, ensure_ascii=False) if as_json else "\n".join(lines)
    sys.stdout.write(f"{text}\n")


@kb_app.command("export")
def kb_export(
    file: Annotated[Path, typer.Argument(help="File to write.")],
    form: Annotated[str, typer.Option("--format", help="graphml or turtle.")] = "graphml",
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Write the stored graph for other tools, as GraphML or as RDF in Turtle.

    Example: musegen kb export --format turtle theory.ttl
    """
    from musegen.errors import OptionError
    from musegen.io.files import write_file
    from theory_kb.exports import export

    if file.exists() and not force:
        raise OptionError("file", str(file), "a new file, or --force to overwrite")
    write_file(file, export(form))


def _add_questions() -> None:
    """One command a question, with its arguments."""
    from theory_kb.questions import QUESTIONS

    for each in QUESTIONS:
        text = f"{each.help}\n\nExample: musegen kb ask {each.name} {each.example}"
        ask_app.command(each.name, help=text)(_asking(each))


def _asking(question: Question) -> Callable[..., None]:
    """A function that typer reads the question's arguments from."""

    def command(**given: Any) -> None:
        from musegen.knowledge import ask_with_files
        from theory_kb.answers import as_json, render

        wanted = given.pop("as_json")
        found = ask_with_files(question.name, given)
        text = json.dumps(as_json(found), ensure_ascii=False) if wanted else render(found)
        sys.stdout.write(f"{text}\n")

    parameters = [
        Parameter(
            argument.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if argument.default is None else argument.default,
            annotation=Annotated[str, typer.Argument(help=argument.help)],
        )
        for argument in question.arguments
    ]
    parameters.append(
        Parameter("as_json", Parameter.KEYWORD_ONLY, default=False, annotation=AsJson)
    )
    vars(command)["__signature__"] = Signature(parameters)
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command
