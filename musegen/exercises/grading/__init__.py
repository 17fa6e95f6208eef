"""Grading: an answer held against its item, points with the clause that gave or took each."""
