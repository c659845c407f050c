"""Presents results: formats of scores, HTML pages and pictures.

Must not know how models are trained or inspected. Offers `make_output`, `summary`, pages and pictures.
"""
