"""Shows a training run on a stream: a progress bar, a line per evaluation, sampled text."""

import contextlib
import sys
import time

from theano_rnn.files.printable import printable
from theano_rnn.training.evaluation import best_record
from theano_rnn.training.reporter import Reporter


class ProgressReporter(Reporter):
    """Shows a training run: one progress bar per epoch, one line and one sampled text per evaluation.

    Parameters
    ----------
    stream : text file, optional
        Where to show it; default: standard error.
    option_name : callable, optional
        Gives the name by which the user knows an option; default: the name of the Python argument.

    Attributes
    ----------
    stopped_after : str or None
        How far the run had come when its time limit ended it, such as ``"2 epochs and 1 step"``.
    """

    def __init__(self, stream=None, option_name=str):
        from tqdm import tqdm

        self.tqdm = tqdm
        self.stream = sys.stderr if stream is None else stream
        self.option_name = option_name
        self.bar = None
        self.epoch = None  # of the bar; None: the text is being read
        self.stopped_after = None

    def note(self, text):
        if self.epoch is None:
            self.close()
        self.tqdm.write(text, file=self.stream)

    def warn(self, text):
        self.note(f"warning: {text}")

    def encoding(self, done, total):
        if self.bar is None:
            self.bar = self.tqdm(
                total=total, unit="character", unit_scale=True, desc="encoding", file=self.stream, leave=False
            )
        self.bar.update(done - self.bar.n)

    def progress(self, state, epochs, done, total, loss, tokens):
        if self.bar is not None and self.epoch != state.epoch:
            self.close()
        if self.bar is None:
            self.epoch = state.epoch
            self.bar = self.tqdm(
                total=total, initial=done - 1, unit="step", file=self.stream, leave=False, dynamic_ncols=True
            )
            self.bar.set_description(f"epoch {state.epoch + 1}/{epochs}")
            self.tokens, self.since = -tokens, time.perf_counter()  # the first ones were learnt before
        self.tokens += tokens
        speed = self.tokens / max(time.perf_counter() - self.since, 1e-9)
        self.bar.set_postfix_str(f"loss {loss:.3f}" + f", {speed:,.0f} tokens/s" * bool(self.tokens))
        self.bar.update(done - self.bar.n)

    def close(self):
        """Remove the progress bar, if one is shown."""
        if self.bar is not None:
            with contextlib.suppress(BrokenPipeError):
                self.bar.close()
            self.bar = None

    def evaluated(self, record, sample):
        self.close()
        held_out = record["valid_loss"] is not None
        measured = f"held-out loss {record['valid_loss']:.4f}  " if held_out else ""
        learnt = "" if record["train_loss"] is None else f"training loss {record['train_loss']:.4f}  "
        self.note(
            f"epoch {record['epoch']:>3}  {learnt}{measured}perplexity {record['perplexity']:.2f}  "
            f"rate {record['learning_rate']:g}  {record['tokens_per_second']:,.0f} tokens/s  {record['seconds']:.0f} s"
        )
        if sample is not None:
            self.note(f"           {printable(sample)}")

    def sampled(self, state, sample):
        self.note(f"           {printable(sample)}")

    def time_is_up(self, state, checkpoint):
        counts = ((state.epoch, "epoch"), (state.step, "step"))
        self.stopped_after = " and ".join(f"{n} {unit}{'s' if n > 1 else ''}" for n, unit in counts if n)

    def finished(self, lm, path):
        """Say how good the model is and where it is, after `train` has returned it."""
        best = best_record(lm.training["history"], lm.training["options"]["tutorial"])
        found = "" if best is None else f"best perplexity {best['perplexity']:.2f} after epoch {best['epoch']:g}; "
        self.note(f"{found}the model is in {path}")
