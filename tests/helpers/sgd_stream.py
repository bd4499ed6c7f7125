"""A fit on a stream of batches, in a process that may be killed while it reads."""

import os
import signal
import sys

import numpy as np

from fastloss.linear_model import SGDClassifier

_rng = np.random.default_rng(0)
X = _rng.normal(size=(200, 5))
Y = np.digitize(X[:, 0] + _rng.logistic(size=200), [-1.0, 1.0])


def train(checkpoint=None, die_at=None):
    """The model after 3 epochs of 5 batches, 1 of them empty; the process dies before batch die_at."""
    read = 0

    def batches():
        nonlocal read
        for rows in (slice(0), *(slice(start, start + 50) for start in range(0, 200, 50))):
            if read == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            read += 1
            yield X[rows], Y[rows]

    model = SGDClassifier("cross_entropy", random_state=0, max_iter=3, tol=None, average=True)
    return model.fit(
        batches,
        classes=[0, 1, 2],
        validation_data=(X, Y),
        checkpoint=checkpoint,
        checkpoint_every=0,
    )


if __name__ == "__main__":
    train(sys.argv[1], int(sys.argv[2]))
