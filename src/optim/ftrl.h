/* FTRL-proximal, McMahan et al. (2013), algorithm 1, per coordinate.
 *
 *     sigma = (sqrt(n + g^2) - sqrt(n)) / lr;  z += g - sigma * param;  n += g^2
 *     param = 0 where |z| <= l1, else -(z - sign(z) l1) / ((beta + sqrt(n)) / lr + l2)
 *
 * The parameter is a function of z and n. FL_FTRL_REBASE turns that round: where the parameter is not 0, z is
 * taken from it and n, with the rate of this step. So the first step begins at the parameters that are
 * there, and a change of the rate does not move them. A coordinate whose gradient is 0 is then left as it
 * is, lest the roundings of z from param from z add up.
 * States: 0 z, 1 n. c[2] = 1 / lr, c[3] = beta / lr + l2, c[4] = l1.
 */
FL_INLINE int FN(ftrl_states)(int variant)
{
    (void)variant;
    return FL_STATE(0) | FL_STATE(1);
}

FL_INLINE void FN(ftrl_update)(int variant, const REAL *c, V *param, V grad, V *state)
{
    const V g = FN(fl_descent)(0, c, *param, grad), w = *param, zero = vsplat(R(0.0));
    const V l1 = vsplat(c[4]), root = vsqrt(state[1]);
    const V n = state[1] + g * g, new_root = vsqrt(n);
    V z = state[0], next;
    if (variant & FL_FTRL_REBASE)
        z = vselect(w == zero, z, zero - (w * (root * c[2] + c[3]) + vcopysign(l1, w)));
    z = z + (g - ((new_root - root) * c[2]) * w);
    next = (vcopysign(l1, z) - z) / (new_root * c[2] + c[3]);
    next = vselect(vabs(z) <= l1, zero, next);
    if (variant & FL_FTRL_REBASE) {
        const VI idle = g == zero;
        next = vselect(idle, w, next);
        z = vselect(idle, state[0], z);
    }
    state[0] = z;
    state[1] = n;
    *param = next;
}
