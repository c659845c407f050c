"""Reading and writing files: atomic writes, checksums, safe reading, corpus formats, temporary storage; also signals.

Must not know what the files mean: no networks, no vocabulary, no training run. All other packages may use it.
"""
