"""Draws texts from a network at random and searches for the most probable ones, as ids.

Must not know words, prompts or files. Offers `Sampler`, `text_groups` and `most_probable_texts`.
"""
