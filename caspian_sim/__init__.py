"""Sea level of the Caspian under climate change and under the measures of its five littoral states."""

__version__ = "0.1.0"
