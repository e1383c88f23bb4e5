"""Drafting a report from a folder of evidence: what the certificates show becomes claims that check clean."""
