"""Affidavit: incident reports whose every stated fact is checked against the certificates."""

__version__ = "0.1.0"
