"""A network with a vocabulary and a tokenizer: scoring, incremental scoring, generation, beam search.

Must not know training runs or how results are shown. Offers `LanguageModel` and `load`.
"""
