"""Published figures are cited, and only those of a kind stand beside ours."""

from __future__ import annotations

from musegen.comparison.published import FAMILIES, beside, published
from musegen.models.roll_models import ROLL_MODELS


def test_every_model_has_a_family() -> None:
    """So that none is shown beside another kind's figures, or beside none by mistake."""
    assert set(FAMILIES) == set(ROLL_MODELS)


def test_every_figure_is_cited() -> None:
    """With author, year and table."""
    assert len(published()) > 20
    for each in published():
        assert "table" in each.source
        assert 2 < each.nats < 62


def test_the_best_of_its_kind_comes_first() -> None:
    """Beside an HMM the one of Allan and Williams, not the mixture; beside a drawn set nothing."""
    found = beside("jsb-pianoroll", "hmm-serial")
    assert [each.nats for each in found] == [9.24, 11.89]
    assert beside("builtin", "hmm") == ()
