"""Figures beside a physical limit or a reference of the same run. By hand, by `make bench`; never a timed test."""
