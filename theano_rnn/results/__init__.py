"""How results are shown: score formats, n-best lists, mixtures, HTML pages and pictures.

Must not know how models are trained.
"""
