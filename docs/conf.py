"""How the documentation is built: `sphinx-build -nW docs docs/_build`."""

import re
import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "musegen"
author = "musegen contributors"
copyright = author
version = release = installed("musegen")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"musegen {release}"

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False

# References into our own packages must resolve; what other libraries document is not looked up.
nitpick_ignore_regex = [
    ("py:.*", r"(?!(musegen|theory_kb|corpora)\.).*"),
    ("py:class", r".*\.(Settings|_\w+)"),  # type variables and private classes have no page
]


def _skip_imported(app, what, name, obj, skip, options):
    """Document a name where it is defined, not again where it is handed on."""
    here = app.env.current_document.autodoc_module
    return skip or (here and getattr(obj, "__module__", here) != here) or None


def _keep_indented(app, what, name, obj, options, lines):
    """Show the indented blocks of a module's docstring (trees, examples) as they stand."""
    if what == "module":
        text = "\n".join(lines)
        lines[:] = re.sub(r"^(\S.*\n)\n(?=    )", r"\1\n::\n\n", text, flags=re.MULTILINE).split(
            "\n"
        )


def _write_pages(app):
    """Make the reference of the rules and the gallery before the documents are looked for."""
    from exercise_pages import write_gallery
    from rule_pages import write_pages

    write_pages(Path(app.srcdir) / "reference" / "rules")
    write_gallery(Path(app.srcdir) / "exercises")


def setup(app):
    """Register what Sphinx calls back."""
    app.connect("builder-inited", _write_pages)
    app.connect("autodoc-skip-member", _skip_imported)
    app.connect("autodoc-process-docstring", _keep_indented)
