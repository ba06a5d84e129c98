"""Geometry of the basin: hypsometry, Kara-Bogaz-Gol and its strait, rivers, sectors."""
