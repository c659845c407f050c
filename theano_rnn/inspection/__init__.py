"""Look inside a trained model: its gradients over time, its graph, its hidden units, and a summary of its file.

Computing is separate from drawing pictures and writing pages. Must not change a model, and must not know training runs.
"""
