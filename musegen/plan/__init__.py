"""What is to be written: form template -> phrases, keys, cadences, chords a slot may have."""
