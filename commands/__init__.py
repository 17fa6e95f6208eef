"""The commands, in files by what they do. No algorithm: arguments, wiring, progress, what is said."""
