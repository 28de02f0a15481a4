"""The notebooks of the documentation: run them, and make pages of them.

    python tools/notebooks.py run --house http://localhost:8000 [NAME …]
    python tools/notebooks.py pages [--check]

A notebook is a plain ``.ipynb`` that opens in Jupyter. Here its cells run one after the other in this interpreter, as
they do there: what is printed, and what the last line gives, becomes the cell's output. For that no kernel is needed,
nor the fifty packages that come with one.
"""

import argparse
import ast
import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "notebooks"
_FORMATS = {"image/svg+xml": "_repr_svg_", "text/html": "_repr_html_"}


def main() -> int:
    """Do one of both; 1 where ``--check`` finds a page that is another than its notebook."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="run notebooks against a house, and keep what they give")
    running.add_argument("--house", required=True, help="its address")
    running.add_argument("names", nargs="*", help="without one: all")
    pages = commands.add_parser("pages", help="write the pages")
    pages.add_argument("--check", action="store_true", help="only say whether they are up to date")
    arguments = parser.parse_args()
    if arguments.command == "run":
        os.environ["HOUSE"] = arguments.house
        for path in notebooks():
            if not arguments.names or path.stem in arguments.names:
                notebook = read(path)
                execute(notebook)
                path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")
                print(f"{path.stem}: run")
    stale = [path for path in notebooks() if not _is_written(path, check=getattr(arguments, "check", False))]
    for path in stale:
        print(f"{path.with_suffix('.md')} is not its notebook's page: python tools/notebooks.py pages", file=sys.stderr)
    return 1 if stale else 0


def notebooks() -> list[Path]:
    """In the order in which they are read."""
    return sorted(FOLDER.glob("*.ipynb"))


def read(path: Path) -> dict[str, Any]:
    """As nbformat 4 has it."""
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def execute(notebook: dict[str, Any]) -> None:
    """Run the cells and put their outputs in. What a cell raises is raised, with the cell's number in its traceback."""
    names: dict[str, Any] = {"__name__": "__main__"}
    count = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        count += 1
        cell["execution_count"] = count
        cell["outputs"] = _run("".join(cell["source"]), f"cell {count}", names, count)


def _run(source: str, place: str, names: dict[str, Any], count: int) -> list[dict[str, Any]]:
    tree = ast.parse(source, place)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    said, value = io.StringIO(), None
    with contextlib.redirect_stdout(said):
        exec(compile(tree, place, "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), place, "eval"), names)
    outputs: list[dict[str, Any]] = []
    if said.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": said.getvalue().splitlines(keepends=True)})
    if value is not None:
        data = {"text/plain": repr(value).splitlines(keepends=True)}
        for media, method in _FORMATS.items():
            if hasattr(value, method):
                data[media] = getattr(value, method)().splitlines(keepends=True)
        outputs.append({"output_type": "execute_result", "execution_count": count, "metadata": {}, "data": data})
    return outputs


def page(path: Path) -> str:
    """A notebook as Markdown, with what its cells gave."""
    parts = []
    for cell in read(path)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        parts += [_shown(output) for output in cell["outputs"]]
    parts.append(f"[This notebook]({path.name}) opens in Jupyter; `HOUSE` is the address of the house that it asks.")
    return "\n\n".join(parts) + "\n"


def _shown(output: dict[str, Any]) -> str:
    if output["output_type"] == "stream":
        return f"```text\n{''.join(output['text']).rstrip()}\n```"
    data = output["data"]
    for media in _FORMATS:
        if media in data:
            return f'<div class="notebook-output">{"".join(data[media])}</div>'.replace("\n\n", "\n")
    return f"```text\n{''.join(data['text/plain'])}\n```"


def _is_written(path: Path, *, check: bool) -> bool:
    wanted, place = page(path), path.with_suffix(".md")
    if check:
        return place.exists() and place.read_text("utf-8") == wanted
    place.write_text(wanted, "utf-8")
    return True


if __name__ == "__main__":
    sys.exit(main())
