"""What is public: every module says so, and says what each name is for."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("corpora", "musegen", "theory_kb")


def module_names() -> list[str]:
    """Dotted names of every module of the house, `cli` among them."""
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    dotted = (".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files)
    return ["cli", *(name.removesuffix(".__init__") for name in dotted)]


MODULES = module_names()


def has_code(module: ModuleType) -> bool:
    """Whether a module holds more than its docstring."""
    return len(ast.parse(inspect.getsource(module)).body) > 1


def test_modules_are_found() -> None:
    """The list that the other tests walk is not empty."""
    assert {"cli", "musegen", "musegen.score", "theory_kb.pitch", "corpora"} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_module_says_what_it_is_and_what_is_public(name: str) -> None:
    """Each module has a docstring and, if it holds code, a duplicate-free `__all__`."""
    module = importlib.import_module(name)
    assert (module.__doc__ or "").strip(" ."), f"{name} has no docstring"
    if has_code(module):
        public = getattr(module, "__all__", None)
        assert public is not None, f"{name} has no __all__"
        assert len(set(public)) == len(public), f"{name}.__all__ names something twice"


@pytest.mark.parametrize("name", MODULES)
def test_exported_names_exist_and_are_documented(name: str) -> None:
    """Each name in `__all__` exists; each class and function, and its methods, has a docstring."""
    module = importlib.import_module(name)
    for exported in getattr(module, "__all__", ()):
        value = getattr(module, exported)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert inspect.getdoc(value), f"{name}.{exported} has no docstring"
        if inspect.isclass(value):
            for method, function in inspect.getmembers(value, inspect.isfunction):
                mine = function.__module__ == name and not method.startswith("_")
                assert not mine or inspect.getdoc(function), f"{name}.{exported}.{method}"
