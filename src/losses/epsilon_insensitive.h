/* Epsilon-insensitive loss, Vapnik (1995): max(0, |r| - epsilon), r = f - y. gradient sign(r) where
 * |r| > epsilon, else 0; the Hessian, zero almost everywhere, is reported as 1 where |r| > epsilon and 0
 * elsewhere. The residual is a pair of numbers, so that |r| - epsilon is right near its zero, where it
 * cancels, and so is its sign: worst error 1.5 ULP. Parameters: p[0] + p[1] + p[2] = epsilon.
 */
FL_INLINE void FN(epsilon_insensitive)(V y, V f, V t, const REAL *p, V *loss, V *gradient,
                                       V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    V r_lo, unused;
    const V r = vresidual(y, f, &r_lo);
    const V excess = FN(fl_excess)(r, r_lo, p, &unused);
    const VI active = excess > R(0.0);
    (void)t;
    *loss = vmax(zero, excess); /* vmax gives its second operand for NaN */
    *gradient = vselect(r == r, vkeep(active, vcopysign(one, r)), r);
    *hessian = vkeep(active, one);
}
