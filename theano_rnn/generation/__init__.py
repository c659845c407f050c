"""Draws texts from a network at random and searches for the most probable ones, as ids.

Must not know words, prompts or files. Offers `Sampler` and `text_groups` for texts of one sentence, `PassageSampler`
and `passage_groups` for passages, and `most_probable_texts`.
"""
