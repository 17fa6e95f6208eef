"""What music theory says: spelled pitch, chords, facts and their graph, rules and their checker.

Knows no search, no model and no file format of scores.
"""
