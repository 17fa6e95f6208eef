"""What a given score is made of: keys, chords, non-chord tones, cadences."""
