"""What studies of reading and grammar compare: minimal pairs, and texts after other texts.

It reads them and shows their scores. It must not know how the scores are computed.
"""
