/* RMSprop, Tieleman and Hinton (2012), centred as in Graves (2013); torch.optim.RMSprop's update.
 *
 *     g = grad + weight_decay * param
 *     square = alpha * square + (1 - alpha) * g^2;  mean = lerp(mean, g, 1 - alpha)
 *     root = sqrt(centered ? square - mean^2 : square) + eps
 *     buffer = momentum * buffer + g / root;  param -= lr * buffer     (or param -= lr * g / root)
 *
 * After many equal gradients square - mean^2 is 0 but for rounding, and a negative one would be NaN for
 * good: it is kept at 0.
 * States: 0 square, 1 mean, 2 buffer. c[2] = lr, c[3] = alpha, c[4] = 1 - alpha, c[5] = lerp's
 * coefficient, c[6] = eps, c[7] = momentum.
 */
FL_INLINE int FN(rmsprop_states)(int variant)
{
    return FL_STATE(0) | (variant & FL_RMSPROP_CENTERED ? FL_STATE(1) : 0) |
           (variant & FL_RMSPROP_MOMENTUM ? FL_STATE(2) : 0);
}

FL_INLINE void FN(rmsprop_update)(int variant, const REAL *c, V *param, V grad, V *state)
{
    const V g = FN(fl_descent)(variant & FL_DECAY, c, *param, grad);
    V variance, way;
    state[0] = variance = c[3] * state[0] + (c[4] * g) * g;
    if (variant & FL_RMSPROP_CENTERED) {
        state[1] = FN(fl_lerp)(state[1], g, c[5]);
        variance =
            vmax(vsplat(R(0.0)), variance - state[1] * state[1]); /* the latter where it is NaN */
    }
    way = g / (vsqrt(variance) + c[6]);
    if (variant & FL_RMSPROP_MOMENTUM)
        state[2] = way = c[7] * state[2] + way;
    *param = *param - c[2] * way;
}
