/* Epsilon-insensitive loss, Vapnik (1995): max(0, |r| - epsilon), r = f - y. gradient sign(r) where
 * |r| > epsilon, else 0; the Hessian, zero almost everywhere, is reported as 1 where |r| > epsilon and 0
 * elsewhere. The residual is a pair of numbers, and what is left of |r| - epsilon where it cancels is summed without
 * error. Worst error 1.5 ULP. Parameters: p[0] + p[1] + p[2] = epsilon, each of at most 24 bits.
 */

/* max(0, |r| - epsilon); vmax gives its second operand for NaN */
FL_INLINE V FN(fl_insensitive_excess)(V y, V f, const REAL *p, V *r)
{
    const V zero = vsplat(R(0.0));
    V r_lo;
    *r = vresidual(y, f, &r_lo);
    const V size = vabs(*r), size_lo = vflip(r_lo, *r);
#if FL_BITS == 64
    return vmax(zero, (size - (p[0] + (p[1] + p[2]))) + size_lo);
#else
    V rest;
    const V coarse = size - p[0];
    const V lost = vkeep(coarse <= REAL_MAX, (size - coarse) - p[0]); /* 0 where it cancels */
    const V fine = FN(fl_two_sum)(size_lo, vsplat(-p[1]), &rest);
    return vmax(zero, (coarse + (lost + fine)) + (rest - p[2]));
#endif
}

FL_INLINE void FN(epsilon_insensitive)(V y, V f, V t, const REAL *p, V *loss, V *gradient,
                                       V *hessian)
{
    const V one = vsplat(R(1.0));
    V r;
    const V excess = FN(fl_insensitive_excess)(y, f, p, &r);
    const VI active = excess > R(0.0);
    (void)t;
    *loss = excess;
    *gradient = vselect(r == r, vkeep(active, vcopysign(one, r)), r);
    *hessian = vselect(r == r, vkeep(active, one), r);
}
