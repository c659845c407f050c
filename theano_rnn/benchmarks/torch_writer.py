"""A network that writes in PyTorch, equal to `theano_rnn.decoders.writer.Writer`, and its batched beam search.

Only this module and the other modules of PyTorch's workloads need torch, and only when they run.
"""

from typing import Any


def build_writer(
    words: int,
    source_words: int,
    embedding_dim: int,
    hidden_dim: int,
    cell: str = "gru",
    layers: int = 1,
    bidirectional: bool = True,
    attention: bool = True,
    tied: bool = True,
    bias: bool = True,
) -> Any:
    """Build a network: embeddings, an encoder on packed sources, a bridge, a decoder, attention and an output layer.

    Parameters
    ----------
    words, source_words, embedding_dim, hidden_dim, cell, layers, bidirectional, attention, tied, bias
        As for `theano_rnn.decoders.writer_settings.WriterSettings`.

    Returns
    -------
    torch.nn.Module
        Maps sources (steps, batch_size) with their lengths, the longest first, and the words before those of the
        targets (steps, batch_size) to logits (batch_size, steps, words).
    """
    import torch
    from torch import nn
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    H, E, source_dim = hidden_dim, embedding_dim, hidden_dim * (2 if bidirectional else 1)
    recurrence = {"simple": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell]
    matrices = 2 if cell == "lstm" else 1

    class Writer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.source_embedding = nn.Embedding(source_words, E)
            self.encoder = recurrence(E, H, layers, bias=bias, bidirectional=bidirectional)
            self.bridge = nn.Linear(source_dim, layers * matrices * H, bias=bias)
            self.embedding = nn.Embedding(words, E)
            self.decoder = recurrence(E, H, layers, bias=bias)
            self.attention = nn.Linear(source_dim, H, bias=False) if attention else None
            self.combination = nn.Linear(H + source_dim if attention else H, E, bias=bias)
            self.output = nn.Linear(E, words, bias=bias)
            if tied:
                self.output.weight = self.embedding.weight

        def read(self, source: Any, lengths: Any) -> tuple[Any, Any]:
            """What attention reads (None without it), and the state of the decoder before the first word."""
            packed, last = self.encoder(pack_padded_sequence(self.source_embedding(source), lengths))
            last = last[0] if matrices == 2 else last
            z = torch.cat([last[-2], last[-1]], dim=1) if bidirectional else last[-1]
            state = torch.tanh(self.bridge(z)).view(len(z), layers, matrices, H).permute(2, 1, 0, 3).contiguous()
            first = (state[0], state[1]) if matrices == 2 else state[0]
            if self.attention is None:
                return None, first
            h = pad_packed_sequence(packed, batch_first=True)[0]
            beyond = torch.arange(h.shape[1]) >= lengths[:, None]
            return (h, self.attention(h).transpose(1, 2), beyond[:, None, :].to(h.device)), first

        def vectors(self, s: Any, memory: Any) -> Any:
            """q_t for the states s (batch_size, steps, hidden_dim)."""
            if memory is not None:
                h, keys, beyond = memory
                weights = torch.softmax(torch.bmm(s, keys).masked_fill(beyond, -torch.inf), dim=-1)
                s = torch.cat([s, torch.bmm(weights, h)], dim=2)
            return torch.tanh(self.combination(s))

        def forward(self, source: Any, lengths: Any, x: Any) -> Any:
            memory, state = self.read(source, lengths)
            states, _ = self.decoder(self.embedding(x), state)
            return self.output(self.vectors(states.transpose(0, 1), memory))

    return Writer()


def beam_search(
    network: Any, source: Any, lengths: Any, beam: int, longest: int, length_penalty: float, start: int, end: int
) -> tuple[list[Any], list[Any]]:
    """The search of `theano_rnn.decoders.beam_search` for a network whose state is one tensor, such as a GRU.

    Parameters
    ----------
    network : torch.nn.Module
        From `build_writer`.
    source, lengths : tensors (steps, batch_size) and (batch_size,)
    beam, longest, length_penalty, start, end
        As for `theano_rnn.decoders.beam_search.search`.

    Returns
    -------
    ids : list of lists of lists of int
        For each source the best targets, the end markers included, and filled with end markers.
    scores : list of lists of float
    """
    import torch

    with torch.no_grad():
        memory, state = network.read(source, lengths)
        count, device = source.shape[1], source.device
        state = state.repeat_interleave(beam, dim=1)
        places = torch.arange(count, device=device)[:, None]
        totals = torch.full((count, beam), -torch.inf, device=device)
        totals[:, 0] = 0
        finished = torch.zeros((count, beam), dtype=torch.bool, device=device)
        written = torch.ones((count, beam), device=device)  # numbers of words, the next one included
        ids = torch.full((count, beam, longest + 1), end, device=device)
        words = torch.full((count, beam), start, device=device)
        itself = torch.full((beam,), -torch.inf, device=device)  # the continuations of a finished target
        itself[0] = 0
        for step in range(longest + 1):
            states, state = network.decoder(network.embedding(words.view(1, -1)), state)
            logits = network.output(network.vectors(states.view(count, beam, -1), memory))
            normalizer = logits.logsumexp(dim=2, keepdim=True)
            if step == longest:
                best = logits[:, :, end : end + 1].expand(-1, -1, beam) - normalizer + itself
                chosen = torch.full((count, beam, beam), end, device=device)
            else:
                logits[:, :, start] = -torch.inf
                best, chosen = logits.topk(beam, dim=2)
                best = best - normalizer
            sums = totals[:, :, None] + torch.where(finished[:, :, None], itself, best)
            ranks = (sums / written[:, :, None] ** length_penalty).view(count, -1).topk(beam, dim=1).indices
            parents = ranks // beam
            words = chosen.view(count, -1).gather(1, ranks)
            totals = sums.view(count, -1).gather(1, ranks)
            finished = finished.gather(1, parents)
            words = torch.where(finished, end, words)
            ids = ids[places, parents]
            ids[:, :, step] = words
            written = written.gather(1, parents)
            finished = finished | (words == end)
            if finished.all():
                break
            written = written + ~finished
            state = state.index_select(1, (places * beam + parents).view(-1))
        return ids.tolist(), (totals / written**length_penalty).tolist()
