"""Looking inside a trained model: gradients over distance, the compiled graph, hidden units, a summary of the file.

Must not change a model, and must not know training runs.
"""
