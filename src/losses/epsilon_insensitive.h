/* Epsilon-insensitive loss, Vapnik (1995): max(0, |r| - epsilon), r = f - y. gradient sign(r) where
 * |r| > epsilon, else 0; the Hessian, zero almost everywhere, is reported as 1 where |r| > epsilon and 0
 * elsewhere. The residual is a pair of numbers, and what is left of |r| - epsilon where it cancels is exact; float32 is
 * computed in float64, in which epsilon is not rounded. Worst error 1.5 ULP. Parameter: p[0] = epsilon.
 */
#if FL_BITS == 64
/* max(0, |r| - epsilon) */
FL_INLINE V FN(fl_insensitive_excess)(V y, V f, const REAL *p, V *r)
{
    V r_lo;
    *r = vresidual(y, f, &r_lo);
    const V coarse = vabs(*r) - p[0];
    return vmax(vsplat(R(0.0)),
                coarse + vflip(r_lo, *r)); /* vmax gives its second operand for NaN */
}

FL_INLINE void FN(epsilon_insensitive_of_float)(V y, V f, const REAL *p, V *loss, V *gradient,
                                                V *hessian)
{
    const V one = vsplat(R(1.0));
    V r;
    const V excess = FN(fl_insensitive_excess)(y, f, p, &r);
    const VI active = excess > R(0.0);
    *loss = excess;
    *gradient = vselect(r == r, vkeep(active, vcopysign(one, r)), r);
    *hessian = vkeep(active, one);
}

FL_INLINE void FN(epsilon_insensitive)(V y, V f, V t, const REAL *p, V *loss, V *gradient,
                                       V *hessian)
{
    (void)t;
    FN(epsilon_insensitive_of_float)(y, f, p, loss, gradient, hessian);
}
#else
FL_FROM_WIDE(epsilon_insensitive, epsilon_insensitive_of_float)
#endif
