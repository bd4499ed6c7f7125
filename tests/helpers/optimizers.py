"""The optimizers in NumPy and longdouble, from the papers and torch's pseudo-code."""

import numpy as np

NAMES = ("SGD", "Adam", "AdamW", "Adagrad", "RMSprop", "FTRL")
TORCH_NAMES = NAMES[:-1]


def draw_settings(name, rng):
    """Random settings of an optimizer, each of its switches on in about half the draws."""
    coin = lambda: bool(rng.random() < 0.5)  # noqa: E731
    settings = {"lr": float(rng.uniform(0.01, 0.5)), "maximize": coin()}
    if name != "FTRL" and coin():
        settings["weight_decay"] = float(rng.uniform(0, 0.3))
    if name == "SGD" and coin():
        settings["momentum"] = float(rng.uniform(0.1, 0.99))
        settings["nesterov"] = coin()
        if not settings["nesterov"]:
            settings["dampening"] = float(rng.uniform(0, 0.9)) * coin()
    if name in ("Adam", "AdamW"):
        settings["betas"] = (float(rng.uniform(0, 0.99)), float(rng.uniform(0.1, 0.999)))
        settings["eps"] = float(10 ** rng.uniform(-10, -2))
        settings["amsgrad"] = coin()
    if name == "Adagrad":
        settings["lr_decay"] = float(rng.uniform(0, 0.3)) * coin()
        settings["initial_accumulator_value"] = float(rng.uniform(0, 2)) * coin()
        settings["eps"] = float(10 ** rng.uniform(-10, -2))
    if name == "RMSprop":
        settings["alpha"] = float(rng.uniform(0.1, 0.99))
        settings["eps"] = float(10 ** rng.uniform(-8, -2))
        settings["momentum"] = float(rng.uniform(0.1, 0.9)) * coin()
        # a small root of a difference is few digits of anything: with a large eps it does not matter
        settings["centered"] = coin()
        if settings["centered"]:
            settings["eps"] = 0.1
    if name == "FTRL":
        settings["beta"] = float(rng.uniform(0.1, 2))
        settings["l1"] = float(rng.uniform(0, 1)) * coin()
        settings["l2"] = float(rng.uniform(0, 1)) * coin()
    return settings


class Reference:
    """One parameter under one optimizer; `rows` is the variant for single rows."""

    def __init__(self, name, param, rows=False, **settings):
        self.name, self.s, self.rows = name, settings, rows
        self.param = param.astype(np.longdouble)
        self.t, self.state = 0, {}

    def get(self, key, default):
        return self.s.get(key, default)

    def keep(self, key, initial=0.0):
        return self.state.setdefault(key, np.full(self.param.shape, initial, np.longdouble))

    def step(self, grad, lr=None):
        self.t += 1
        lr = np.longdouble(self.s["lr"] if lr is None else lr)
        g = grad.astype(np.longdouble)
        if self.get("maximize", False):
            g = -g
        decay = self.get("weight_decay", 0.01 if self.name == "AdamW" else 0.0)
        if self.name == "AdamW":
            self.param = self.param * (1 - lr * decay)
        elif decay:
            g = g + decay * self.param
        getattr(self, f"_{self.name.lower()}")(g, lr)

    def _sgd(self, g, lr):
        momentum = self.get("momentum", 0.0)
        if momentum:
            if self.t == 1 and not self.rows:
                self.state["momentum_buffer"] = g
            else:
                self.state["momentum_buffer"] = (
                    momentum * self.keep("momentum_buffer") + (1 - self.get("dampening", 0.0)) * g
                )
            buffer = self.state["momentum_buffer"]
            g = g + momentum * buffer if self.get("nesterov", False) else buffer
        self.param = self.param - lr * g

    def _adam(self, g, lr):
        beta1, beta2 = (np.longdouble(beta) for beta in self.get("betas", (0.9, 0.999)))
        eps = self.get("eps", 1e-8)
        m = self.state["exp_avg"] = beta1 * self.keep("exp_avg") + (1 - beta1) * g
        v = self.state["exp_avg_sq"] = beta2 * self.keep("exp_avg_sq") + (1 - beta2) * g**2
        if self.get("amsgrad", False):
            v = self.state["max_exp_avg_sq"] = np.maximum(self.keep("max_exp_avg_sq"), v)
        correction1, correction2 = 1 - beta1**self.t, 1 - beta2**self.t
        if self.rows:
            self.param = self.param - lr * np.sqrt(correction2) / correction1 * (
                m / (np.sqrt(v) + eps)
            )
        else:
            self.param = self.param - lr / correction1 * (m / (np.sqrt(v / correction2) + eps))

    _adamw = _adam

    def _adagrad(self, g, lr):
        lr = lr / (1 + (self.t - 1) * self.get("lr_decay", 0.0))
        total = self.keep("sum", self.get("initial_accumulator_value", 0.0)) + g**2
        self.state["sum"] = total
        self.param = self.param - lr * g / (np.sqrt(total) + self.get("eps", 1e-10))

    def _rmsprop(self, g, lr):
        alpha = np.longdouble(self.get("alpha", 0.99))
        square = self.state["square_avg"] = alpha * self.keep("square_avg") + (1 - alpha) * g**2
        if self.get("centered", False):
            mean = self.state["grad_avg"] = alpha * self.keep("grad_avg") + (1 - alpha) * g
            square = np.maximum(square - mean**2, 0)
        way = g / (np.sqrt(square) + self.get("eps", 1e-8))
        if self.get("momentum", 0.0):
            way = self.get("momentum", 0.0) * self.keep("momentum_buffer") + way
            self.state["momentum_buffer"] = way
        self.param = self.param - lr * way

    def _ftrl(self, g, lr):
        """With rates that may change: sigma is the growth of (beta + sqrt(n)) / lr."""
        beta, l1, l2 = self.get("beta", 1.0), self.get("l1", 0.0), self.get("l2", 0.0)
        n = self.keep("n")
        before = (beta + np.sqrt(n)) / self.state.get("lr", lr)
        if self.t == 1:  # such that the parameters are what they are
            self.state["z"] = -self.param * (before + l2) - np.sign(self.param) * l1
        after = (beta + np.sqrt(n + g**2)) / lr
        z = self.state["z"] + g - (after - before) * self.param
        self.state.update(z=z, n=n + g**2, lr=lr)
        self.param = np.where(np.abs(z) <= l1, 0, -(z - np.sign(z) * l1) / (after + l2))
