"""Combines our scores with those of other programs: n-best lists, files of token probabilities, mixtures, decoders.

Must not know how models are trained. Offers `NbestScores`, `TokenScoreFile`, `Mixture`, `PyctcdecodeModel` and
`FlashlightModel`.
"""
