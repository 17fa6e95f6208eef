"""Scores to and from files: MusicXML, MIDI, pictures, sound, explanations. Files stay at this edge."""
