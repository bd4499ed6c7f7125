/* What the updates share. Included once per precision, after real.h.
 *
 * An update is a function of one vector of parameters, gradients and states. Its numbers c[] come from
 * Python, prepared there in float64 and rounded once. In every optimizer c[0] is -0.0 where the objective
 * is maximized, else 0.0, and c[1] the weight decay.
 */
#define FL_STATE(k) (1 << (k))

/* The gradient to descend along. What is not asked for is not computed: a weight decay of 0 must not turn
 * an infinite parameter into NaN. */
FL_INLINE V FN(fl_descent)(int decay, const REAL *c, V param, V grad)
{
    V g = vfrom_bits(vbits(grad) ^ vbits(vsplat(c[0])));
    if (decay)
        g = g + c[1] * param;
    return g;
}

/* from + weight (to - from), reckoned from the nearer end as torch.lerp does: coefficient is the weight
 * below 1/2, else -(1 - weight). */
FL_INLINE V FN(fl_lerp)(V from, V to, REAL coefficient)
{
    return vselect_negative(vsplat(coefficient), to, from) + coefficient * (to - from);
}
