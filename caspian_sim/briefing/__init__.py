"""The policy brief of a run: key messages with their likelihood, figures, methods, evidence and recipe.

Two pages and a technical annex, as one HTML file that asks nothing of a network, and as PDF. No number in it
is typed: each is a :class:`~caspian_sim.briefing.numbers.Number` that was computed from the dataset, and
carries in the page what it is of. Words are in ``lang/``, one file for each language.
"""
