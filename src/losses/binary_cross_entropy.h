/* Log loss on a probability f in [0, 1], NaN outside; labels y in [0, 1]: a min(-log f, 100) + b
 * min(-log(1 - f), 100), a = cost_fn y, b = cost_fp (1 - y). As in torch the derivatives are those of the
 * loss without its limits, their denominator d = max(f (1 - f), 1e-12):
 *     gradient = (b f - a (1 - f)) / d,  Hessian = a ((1 - f) / d)^2 + b (f / d)^2
 * With c the smaller cost the numerator is c (f - y) + (cost_fp - c) (1 - y) f - (cost_fn - c) y (1 - f), one
 * of the last two terms 0: where both costs are the same, nothing cancels. 1 - f is rounded once and never
 * loses digits; (1 - f) / d is 1 / f but for the limit. Worst error 4 ULP; for different costs and soft
 * labels the gradient's is in ULP of its larger term.
 * Parameters: p[0] = cost_fn, p[1] = cost_fp, p[2] = c, p[3] = cost_fn - c, p[4] = cost_fp - c.
 */

/* (other / d)^2 where the denominator is limited, elsewhere 1 / (own + own_lo)^2. Both get a factor where a square
 * might be too small for a normal number. */
FL_INLINE V FN(fl_bce_bend)(V other, V own, V own_lo, VI limited)
{
    const REAL scale = (REAL)(FL_BITS == 64 ? 0x1p500 : 0x1p60);
    const V above = vselect(limited, other * scale, vsplat(R(1.0)));
    const V below = vselect(limited, vsplat(R(1e-12) * scale), own);
    const V square = below * below + FN(fl_opaque)((below + below) * own_lo);
    return FN(fl_opaque)(above * above) / square;
}

FL_INLINE void FN(binary_cross_entropy)(V y, V f, V t, const REAL *p, V *loss, V *gradient,
                                        V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0)), most = vsplat(R(100.0));
    const V least = vsplat(R(1e-12));
    const V z = one - y, q = one - f;
    const V a = FN(fl_opaque)(p[0] * y), b = FN(fl_opaque)(p[1] * z);
    const VI inside = (f >= zero) & (f <= one);
    const V product = FN(fl_opaque)(f * q);
    const VI limited = product < least;
    const V d = vselect(inside, vselect(limited, least, product), vsplat((REAL)NAN));
    const V q_lo = vkeep(limited == 0, (one - q) - f); /* what q was rounded by */
    const V bend_1 = FN(fl_bce_bend)(q, f, vsplat(R(0.0)), limited);
    const V bend_0 = FN(fl_bce_bend)(f, q, q_lo, limited);
    (void)t;
    /* vmin gives its second operand for NaN */
    *loss = a * vmin(most, -vlog(f)) + b * vmin(most, -vlog1p(-f));
    *gradient = (p[2] * (f - y) + ((p[4] * z) * f - (p[3] * y) * q)) / d;
    *hessian =
        vselect(inside, FN(fl_opaque)(a * bend_1) + FN(fl_opaque)(b * bend_0), vsplat((REAL)NAN));
}

/* The same for y in {0, 1}: one logarithm, that of f or of 1 - f, reduced as vlog() and as vlog1p() do. What is
 * left out is a product by 0, so the bits are those of binary_cross_entropy(). */
FL_INLINE void FN(binary_cross_entropy_plain)(V y, V f, V t, const REAL *p, V *loss, V *gradient,
                                              V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0)), most = vsplat(R(100.0));
    const V least = vsplat(R(1e-12));
    const V q = one - f, product = FN(fl_opaque)(f * q);
    const VI positive = y > zero, limited = product < least;
    const V nothing = vselect(product >= zero, zero, vsplat((REAL)NAN)); /* NaN outside [0, 1] */
    const V weight = vselect(positive, vsplat(p[0]), vsplat(p[1]));
    const V chosen = vselect(positive, vabs(f), q), step = vselect(positive, -q, f);
    const V d = vmax(least, product) + nothing;
    const V chosen_lo = vkeep((limited | positive) == 0, (one - q) - f);
    /* subnormal float64, and 0, have a logarithm beyond the limit, whatever is made of them */
    const UINT up = FL_BITS == 64 ? 0 : MANTISSA_BITS;
    VU e;
    const V m = FN(fl_log_split)(chosen * (REAL)((UINT)1 << up), &e);
    const V scale = FN(fl_from_ubits)(((UINT)(2 * EXPONENT_BIAS) + up - e) << MANTISSA_BITS);
    const V log = FN(fl_log_sum)(FN(fl_log_exponent)(e) - (REAL)up,
                                 vselect(positive, m - one, (scale - one) - f * scale));
    (void)t;
    *loss = nothing - weight * vmax(-most, log);
    *gradient =
        (p[2] * step + FN(fl_opaque)(vselect(positive, vsplat(p[3]), vsplat(p[4])) * step)) / d;
    const V bend = FN(fl_bce_bend)(vselect(positive, q, f), chosen, chosen_lo, limited);
    *hessian = FN(fl_opaque)(weight * bend) + nothing;
}
