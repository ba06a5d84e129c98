"""Words of likelihood: the classes of the guidance of the IPCC, and the rule that picks one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caspian_sim.briefing.likelihood import TERMS, enough, term

# Mastrandrea et al. (2010), table 1, in percent.
TABLE = {
    "virtually_certain": (99, 100),
    "very_likely": (90, 100),
    "likely": (66, 100),
    "about_as_likely_as_not": (33, 66),
    "unlikely": (0, 33),
    "very_unlikely": (0, 10),
    "exceptionally_unlikely": (0, 1),
}


def test_classes_are_those_of_the_guidance_note():
    assert {one.key: (100 * one.low, 100 * one.high) for one in TERMS} == TABLE


@pytest.mark.parametrize(
    ("share", "word"),
    [
        (1.0, "virtually_certain"),
        (0.99, "virtually_certain"),
        (0.989, "very_likely"),
        (0.90, "very_likely"),
        (0.899, "likely"),
        (0.661, "likely"),
        (0.66, "about_as_likely_as_not"),
        (0.5, "about_as_likely_as_not"),
        (0.33, "about_as_likely_as_not"),
        (0.329, "unlikely"),
        (0.101, "unlikely"),
        (0.10, "very_unlikely"),
        (0.011, "very_unlikely"),
        (0.01, "exceptionally_unlikely"),
        (0.0, "exceptionally_unlikely"),
    ],
)
def test_word_is_the_narrowest_class_and_at_a_shared_limit_the_one_nearer_to_even_chances(share, word):
    assert term(share).key == word


@given(st.floats(0.0, 1.0))
def test_no_class_inside_that_of_the_word_holds_the_share(share):
    word = term(share)
    assert word.holds(share)
    inside = [one for one in TERMS if word.low <= one.low and one.high <= word.high and one != word]
    assert not any(one.holds(share) for one in inside)


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_what_is_no_probability_has_no_word(value):
    with pytest.raises(ValueError, match="is no probability"):
        term(value)


def test_words_need_as_many_members_as_one_of_them_is_a_hundredth():
    assert not enough(99)
    assert enough(100)
