"""
Optimizers with compiled steps: one pass over lists of arrays, in place.

>>> import numpy as np
>>> import fastloss as fl
>>> optimizer = fl.optim.AdamW(lr=0.01)
>>> weights, bias = np.zeros(3), np.zeros(1)
>>> optimizer.step([weights, bias], [np.array([1.0, -2.0, 0.0]), np.array([0.5])])
>>> weights.round(4), bias.round(4)
(array([-0.01,  0.01,  0.  ]), array([-0.01]))
"""

from fastloss.optim._clip import clip_grad_norm, clip_grad_value
from fastloss.optim._optimizer import Optimizer
from fastloss.optim.adagrad import Adagrad
from fastloss.optim.adam import Adam, AdamW
from fastloss.optim.ftrl import FTRL
from fastloss.optim.rmsprop import RMSprop
from fastloss.optim.schedules import Constant, Cosine, InverseScaling, OneCycle, Step, WarmUp
from fastloss.optim.sgd import SGD

__all__ = [
    "FTRL",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Constant",
    "Cosine",
    "InverseScaling",
    "OneCycle",
    "Optimizer",
    "RMSprop",
    "Step",
    "WarmUp",
    "clip_grad_norm",
    "clip_grad_value",
]
