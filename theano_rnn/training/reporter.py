"""What a training run tells while it runs. A script shows it; the package keeps to the log."""

import logging

logger = logging.getLogger(__name__)


class Reporter:
    """Sends the notes to the log and shows nothing else; made to be overridden.

    A BrokenPipeError from any of its methods during training ends the run as a signal does, its state
    saved: nobody watches any more.
    """

    def note(self, text):
        """Something worth knowing, a line."""
        logger.info(text)

    def warn(self, text):
        """Something that should be changed, in one line."""
        logger.warning(text)

    def option_name(self, name):
        """What the user knows an option by."""
        return name

    def encoding(self, done, total):
        """The text is being read: words were found in `done` of `total` characters."""

    def progress(self, state, epochs, done, total, loss, tokens):
        """The loop looked up: `done` of `total` steps of epoch `state.epoch` + 1, whose mean loss so far is `loss`;
        `tokens` seen since the last call."""

    def evaluated(self, record, sample):
        """An evaluation: the record that also goes to the log file, and a sampled sentence, or None."""
        logger.info("%s", record)

    def sampled(self, state, sample):
        """Between evaluations: a text sampled from the parameters as they are."""
        logger.info("after %s epochs and %s steps: %s", state.epoch, state.step, sample)

    def time_is_up(self, state, checkpoint):
        """The run has come so far and ends, its state saved, because that is all the time it was given."""
        logger.info("the time is up after %s epochs and %s steps: %s", state.epoch, state.step, checkpoint)
