"""``service check``: whether a service has the shape that docs/service.md asks for. It reads the package, and runs
nothing of it but its SERVICE."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from allmende.domain.commons import Commons
from allmende.domain.errors import AllmendeError
from allmende.domain.plain import plain_profile
from allmende.domain.service import Service
from allmende.web.files import Folder
from allmende.web.profiles import find_profile
from allmende.web.services import FOLDERS, commons_folder

_UNSAFE = {"require_POST", "POST", "PUT", "PATCH", "DELETE"}
_PEOPLE = re.compile(r"AUTH_USER_MODEL|accounts\.User\b|EmailField")
_PARTS = ("apps.py", "urls.py", "README.md", "templates", "locale/de/LC_MESSAGES/django.po", "commons")


def faults(service: Service, package: Path, tests: Path | None) -> Iterator[str]:
    """What is missing or wrong, as lines for people; ``tests`` is the folder of its tests."""
    for name in _PARTS:
        if not (package / name).exists():
            yield f"{name} is missing"
    if tests is None or not any(tests.rglob("test_*.py")):
        yield "it has no tests"
    code = dict(_parsed(package))
    yield from _imports(code)
    yield from _routes(service, package, code)
    yield from _writes(code)
    yield from _deeds(service, code)
    yield from _people(package)
    yield from _texts(package)
    yield from _commons(service)


def _parsed(package: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(package.rglob("*.py")):
        inner = path.relative_to(package)
        if "tests" not in inner.parts and "migrations" not in inner.parts:
            yield str(inner), ast.parse(path.read_text("utf-8"), str(path))


def _imports(code: dict[str, ast.Module]) -> Iterator[str]:
    for name, tree in code.items():
        for node in ast.walk(tree):
            found = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found = [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
            if any(each == "allmende.web" or each.startswith("allmende.web.") for each in found):
                yield f"{name}:{node.lineno}: it imports allmende.web; a service knows allmende.city.house alone"


def _routes(service: Service, package: Path, code: dict[str, ast.Module]) -> Iterator[str]:
    name = service.urls.removeprefix(f"{service.app}.").replace(".", "/") if service.urls else "urls"
    tree = code.get(f"{name}.py")
    if tree is None:
        return
    said = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    if said.get("app_name") != service.name:
        yield f'{name}.py: app_name is not "{service.name}"'
    for call in _calls(tree):
        included = any(isinstance(each, ast.Call) and _named(each.func) == "include" for each in call.args)
        named = any(word.arg == "name" for word in call.keywords)
        if _named(call.func) in ("path", "re_path") and not included and not named:
            yield f"{name}.py:{call.lineno}: the address has no name"


def _writes(code: dict[str, ast.Module]) -> Iterator[str]:
    """Views that take what a person sends lead to ``house.note``, by functions of the package."""
    functions: dict[str, list[ast.FunctionDef]] = {}
    for tree in code.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                functions.setdefault(node.name, []).append(node)
    for name, tree in code.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and _takes(node) and not _notes(node, functions, set()):
                yield f"{name}:{node.lineno}: {node.name} takes what a person sends, and does not note it (house.note)"


def _takes(view: ast.FunctionDef) -> bool:
    parts = [part for decorator in view.decorator_list for part in ast.walk(decorator)]
    words = {_named(part) for part in parts} | {str(part.value) for part in parts if isinstance(part, ast.Constant)}
    asked = any(
        isinstance(part, ast.Compare) and _named(part.left) == "method"
        and any(isinstance(each, ast.Constant) and each.value in _UNSAFE for each in ast.walk(part))
        for part in ast.walk(view)
    )  # fmt: skip
    return bool(words & _UNSAFE) or asked


def _notes(node: ast.FunctionDef, functions: dict[str, list[ast.FunctionDef]], seen: set[str]) -> bool:
    for call in _calls(node):
        word = _named(call.func)
        if isinstance(call.func, ast.Attribute) and word == "note":
            return True
        if word in functions and word not in seen:
            seen.add(word)
            if any(_notes(each, functions, seen) for each in functions[word]):
                return True
    return False


def _deeds(service: Service, code: dict[str, ast.Module]) -> Iterator[str]:
    for name, tree in code.items():
        for call in _calls(tree):
            if _named(call.func) in ("asks_for", "may") and call.args and isinstance(call.args[0], ast.Constant):
                deed = str(call.args[0].value)
                if deed.startswith(f"{service.name}.") and deed not in service.deeds:
                    yield f"{name}:{call.lineno}: the deed {deed} does not stand in SERVICE"


def _people(package: Path) -> Iterator[str]:
    """What is held of people is said in README.md, and tables that name them have a holding."""
    readme = package / "README.md"
    if readme.is_file() and not re.search(r"^#+ Personal data$", readme.read_text("utf-8"), re.MULTILINE):
        yield "README.md: it has no heading “Personal data”; what is held of people stands there, or that nothing is"
    every = [path.read_text("utf-8") for path in package.rglob("*.py") if "migrations" not in path.parts]
    naming = any(_PEOPLE.search(text) and "models.Model" in text for text in every)
    if naming and not any("allmende.domain.holdings" in text and "register(" in text for text in every):
        yield "its tables name people, and no holding speaks for them (allmende.domain.holdings.register)"


def _texts(package: Path) -> Iterator[str]:
    """German is complete; plain German is there, and right."""
    from allmende.web.catalogues import SIMPLE, collect, load, readable, simple_faults
    from allmende.web.catalogues import faults as faults_of

    template = collect((path for path in readable(package) if "tests" not in path.parts), package, {})
    if not any(message.id for message in template):
        return
    german = package / "locale" / "de" / "LC_MESSAGES" / "django.po"
    if german.is_file():
        yield from faults_of(template, load(german, "de"), german.relative_to(package))
    simple = package / "locale" / SIMPLE / "LC_MESSAGES" / "django.po"
    if not simple.is_file():
        yield f"{simple.relative_to(package)} is missing: citizens' pages are there in plain German, too"
        return
    said = load(simple, "de")
    if not any(message.id for message in said):
        yield f"{simple.relative_to(package)} says nothing in plain German"
    yield from simple_faults(template, said, simple.relative_to(package))


def _commons(service: Service) -> Iterator[str]:
    """What it brings can be taken over by the bundled example city."""
    folder = commons_folder(service)
    if folder is None:
        return
    brought = Commons(service=service.name, files=Folder(folder, FOLDERS), settings=service.settings)
    city = find_profile("example")
    data = tomllib.loads(city.read_text("utf-8"))
    try:
        profile = plain_profile(data, Folder(city.parent, ("rules/",)), [brought]).parse()
    except AllmendeError as error:
        yield f"commons: {error}"
        return
    own = f"services/{service.name}/"
    for story in profile.stories.values():
        if story.folder.startswith(own) and "de-simple" not in story.content.texts:
            yield f"commons: the story {story.id} has no plain German text ({story.id}.de-simple.md)"


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _named(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
