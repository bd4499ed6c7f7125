/* Adagrad, Duchi et al. (2011), torch.optim.Adagrad's update.
 *
 *     g = grad + weight_decay * param;  sum += g^2;  param -= lr * g / (sqrt(sum) + eps)
 *
 * State 0: the sum. c[2] = lr, decayed; c[3] = eps.
 */
FL_INLINE int FN(adagrad_states)(int variant)
{
    (void)variant;
    return FL_STATE(0);
}

FL_INLINE void FN(adagrad_update)(int variant, const REAL *c, V *param, V grad, V *state)
{
    const V g = FN(fl_descent)(variant & FL_DECAY, c, *param, grad);
    state[0] = state[0] + g * g;
    *param = *param - c[2] * (g / (vsqrt(state[0]) + c[3]));
}
