"""Where a language model loses most on a text: by frequency, by position, unknown words, worst sentences.

Must not know networks or training. Offers `analyzed_files`, tables and a picture.
"""
