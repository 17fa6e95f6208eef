"""Numbers that describe a score: from pitches and durations to tension and expression."""
