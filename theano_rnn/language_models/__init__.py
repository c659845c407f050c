"""Language models: a network with a vocabulary and a tokenizer that scores, predicts and generates text.

Must not know training runs or how results are shown. Offers `LanguageModel`, `load` and `score`.
"""
