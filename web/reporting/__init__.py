"""Reporting: a readout laid out once, for the page, the report, the shared link and the exports.

A page, a link and a file show the same `Results`, made of the same words and the same figures; they differ in
what stands around them. Nothing here computes a statistic.
"""
