/* Squared epsilon-insensitive loss: max(0, |r| - epsilon)^2, r = f - y. gradient 2 sign(r) max(0, |r| -
 * epsilon); Hessian 2 where |r| > epsilon, else 0. The residual is a pair of numbers, so that |r| -
 * epsilon is right near its zero, where it cancels: worst error 3 ULP. Parameters: p[0] + p[1] + p[2] = epsilon.
 */
FL_INLINE void FN(squared_epsilon_insensitive)(V y, V f, V t, const REAL *p, V *loss, V *gradient,
                                               V *hessian)
{
    const V zero = vsplat(R(0.0));
    V r_lo, unused;
    const V r = vresidual(y, f, &r_lo);
    const V excess = vmax(zero, FN(fl_excess)(r, r_lo, p, &unused));
    (void)t;
    *loss = excess * excess;
    *gradient = vcopysign(excess + excess, r);
    *hessian = vkeep(excess > R(0.0), vsplat(R(2.0)));
}
