"""From files to documents, sentences, tokens, ids and minibatches, and back to readable text.

    documents     documents.read_documents, from the files that the user names
    sentences     sentences.split_sentences, with the rules of sentence_splitter and abbreviations
    tokens        word_tokenizer.WordTokenizer; tokenizer.Tokenizer holds the settings of both steps
    ids           encoding.encode_words and encode_characters, with a vocabulary.Vocabulary
    minibatches   minibatches.sentence_batches and stream_batches
    and back      vocabulary.Vocabulary.decode, then detokenize.detokenize

`corpus.read_corpus` takes the first four steps for a training run. Must not know networks.
"""
