"""The calibrated language of likelihood of the IPCC, applied to shares of the members of an ensemble.

Source: Mastrandrea, M. D., et al. (2010), Guidance Note for Lead Authors of the IPCC Fifth Assessment Report
on Consistent Treatment of Uncertainties, table 1.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A word of likelihood and the probabilities that it stands for, both ends included.

    Attributes
    ----------
    key : str
        Name of the word in the files of texts.
    low, high : float
    """

    key: str
    low: float
    high: float

    def holds(self, probability: float) -> bool:
        """Whether a probability lies within its limits."""
        return self.low <= probability <= self.high


TERMS = (
    Term("virtually_certain", 0.99, 1.0),
    Term("very_likely", 0.90, 1.0),
    Term("likely", 0.66, 1.0),
    Term("about_as_likely_as_not", 0.33, 0.66),
    Term("unlikely", 0.0, 0.33),
    Term("very_unlikely", 0.0, 0.10),
    Term("exceptionally_unlikely", 0.0, 0.01),
)
"""Words of table 1 of the guidance note, from the most likely down."""
# At a limit that two words share, the one nearer to the middle comes first.
_NARROWEST_FIRST = tuple(TERMS[i] for i in (0, 6, 1, 5, 3, 2, 4))
LEAST_MEMBERS = 100
"""With fewer members one of them is more than the 1 % that the outermost words are about."""
VERY_LIKELY_RANGE = (0.05, 0.95)
"""What lies between these points has the 90 % of a very likely outcome."""
AT_LEAST_LIKELY = 0.66
"""Lower limit of "likely"."""
AS_LIKELY_AS_NOT = 0.33
"""Lower limit of "about as likely as not"."""


def term(probability: float) -> Term:
    """Find the word for a probability: the narrowest class of the guidance that holds it.

    Parameters
    ----------
    probability : float
        0 to 1.

    Returns
    -------
    Term

    Raises
    ------
    ValueError
        When it is no probability.

    Notes
    -----
    At a limit of two classes of which none lies within the other (0.33, 0.66) it is the one nearer to even
    chances.
    """
    for one in _NARROWEST_FIRST:
        if one.holds(probability):
            return one
    raise ValueError(f"{probability} is no probability")


def enough(members: int) -> bool:
    """Whether an ensemble is large enough for words of likelihood."""
    return members >= LEAST_MEMBERS
