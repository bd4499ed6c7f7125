/* Stochastic gradient descent, torch.optim.SGD's update in its order.
 *
 *     g = grad + weight_decay * param
 *     buffer = momentum * buffer + (1 - dampening) * g        (the first step: buffer = g)
 *     param -= lr * (nesterov ? g + momentum * buffer : buffer)
 *
 * State 0: the momentum buffer. c[2] = lr, c[3] = momentum, c[4] = 1 - dampening.
 */
FL_INLINE int FN(sgd_states)(int variant)
{
    return variant & FL_SGD_MOMENTUM ? FL_STATE(0) : 0;
}

FL_INLINE void FN(sgd_update)(int variant, const REAL *c, V *param, V grad, V *state)
{
    V g = FN(fl_descent)(variant & FL_DECAY, c, *param, grad);
    if (variant & FL_SGD_MOMENTUM) {
        if (variant & FL_SGD_FIRST)
            state[0] = g;
        else
            state[0] = c[3] * state[0] + c[4] * g;
        if (variant & FL_SGD_NESTEROV)
            g = g + c[3] * state[0];
        else
            g = state[0];
    }
    *param = *param - c[2] * g;
}
