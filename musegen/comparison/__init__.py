"""Models of piano-rolls compared: likelihoods, statistics of what they write, the report."""
