"""Look inside a trained model: its gradients over time, its graph, its hidden units, and a summary of its file.

Each of the four has a module that computes, and one that draws a picture or writes a page. Must not change a model, and
must not know training runs.
"""
