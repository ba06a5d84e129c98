"""Errors that a user can mend.

Every :class:`CaspianError` carries a text that says what was found and what is
allowed. The command line prints that text alone and exits with code 2; any
other exception is a bug and keeps its traceback.
"""


class CaspianError(Exception):
    """Base class of all errors caused by input, with a message for the user."""


class ConfigError(CaspianError):
    """A configuration file is missing, unreadable or asks for something invalid."""


class DataError(CaspianError):
    """A data table is missing, damaged or has values that cannot be used."""


class OutOfRangeError(CaspianError, ValueError):
    """A level (m BHS), volume (km³) or other quantity lies outside the range that is defined for it."""


class OutputError(CaspianError):
    """A result cannot be written, or would replace one that exists."""


class SolverError(CaspianError, RuntimeError):
    """The integration left the valid range, or its water budget did not close."""
