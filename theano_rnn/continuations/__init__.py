"""Prompts and their continuations: from text to the ids that a network reads, and from drawn ids to text.

Must not know networks, only ids. Offers `Prompt` for texts of one sentence, and `PassagePrompt` and `Passage` for
passages, which run on through the ends of sentences.
"""
