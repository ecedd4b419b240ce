"""Toets: a telephone survey that calls people, reads simple Dutch questions and knows when to stop."""

__version__ = "0.1.0"
