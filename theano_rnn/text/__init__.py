"""From files to documents, sentences, tokens, ids and minibatches, and back to readable text.

Must not know networks. Offers the tokenizer, the vocabulary, the encoded corpus and its minibatches.
"""
