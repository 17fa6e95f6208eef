"""Proposers of sonorities, one file a model, behind the protocol of `protocol`: arrays only."""
