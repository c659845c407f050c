"""Files that are whole at any moment and may hold anything: writing, checksums, safe reading, temporary files, signals.

Must not know what the files mean: no networks, no vocabulary, no training run. All other packages may use it.
"""
